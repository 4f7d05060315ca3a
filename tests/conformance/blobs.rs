//! `ports::blobs`.

use crate::disk::SmallDisk;
use bytes::Bytes;
use std::path::Path;
use stoa::{
    adapters::blobs::OpendalBlobs,
    ports::blobs::{BlobError, Blobs},
};

const ALL: u64 = u64::MAX;

fn open() -> (tempfile::TempDir, OpendalBlobs) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = OpendalBlobs::open(folder.path()).unwrap();
    (folder, blobs)
}

/// Files there are in the folder, those without a key too.
fn on_disk(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { on_disk(&path) } else { 1 }).sum()
}

#[tokio::test]
async fn a_file_is_kept_found_listed_and_removed() {
    let (folder, blobs) = open();
    let large = Bytes::from(vec![7; 3 << 20]);
    for (key, content) in [
        ("a.png", Bytes::from_static(b"a")),
        ("a b é.png", Bytes::from_static(b"ab")),
        ("tools/empty", Bytes::new()),
        ("tools/drills/large", large.clone()),
    ] {
        assert_eq!(blobs.get(key, ALL).await.unwrap(), None);
        blobs.put(key, content.clone()).await.unwrap();
        assert_eq!(blobs.get(key, ALL).await.unwrap(), Some(content));
    }
    assert_eq!(on_disk(folder.path()), 4);
    let all = ["a b é.png", "a.png", "tools/drills/large", "tools/empty"];
    assert_eq!(blobs.list("").await.unwrap(), all);
    assert_eq!(blobs.list("a").await.unwrap(), all[..2]);
    assert_eq!(blobs.list("tools/").await.unwrap(), all[2..]);
    assert_eq!(blobs.list("tools/d").await.unwrap(), all[2..3]);
    for none in ["b", "nowhere/", "a.png/", "tools/drills/x"] {
        assert!(blobs.list(none).await.unwrap().is_empty(), "{none}");
    }

    // What was written is there for who comes later.
    drop(blobs);
    let blobs = OpendalBlobs::open(folder.path()).unwrap();
    assert_eq!(blobs.get("tools/drills/large", ALL).await.unwrap(), Some(large));
    for key in all {
        blobs.remove(key).await.unwrap();
        assert_eq!(blobs.get(key, ALL).await.unwrap(), None);
        blobs.remove(key).await.unwrap();
    }
    assert!(blobs.list("").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_file_larger_than_asked_for_is_not_read() {
    let (_folder, blobs) = open();
    blobs.put("a", Bytes::from_static(b"123")).await.unwrap();
    assert_eq!(blobs.get("a", 3).await.unwrap().unwrap(), "123");
    assert!(matches!(blobs.get("a", 2).await, Err(BlobError::TooLarge { most: 2, .. })));
}

#[tokio::test]
async fn a_hostile_key_is_refused_and_touches_nothing() {
    let place = tempfile::tempdir().unwrap();
    let blobs = OpendalBlobs::open(&place.path().join("root")).unwrap();
    std::fs::write(place.path().join("outside"), "theirs").unwrap();
    let (long, deep) = ("a".repeat(201), ["a"; 9].join("/"));
    for key in [
        "",
        "/",
        "/outside",
        "..",
        "../outside",
        "a/../../outside",
        "a/..",
        ".",
        "./a",
        "a/./b",
        "a//b",
        "a/",
        " a",
        "a ",
        "a /b",
        ".writing/a",
        ".hidden",
        "a\0b",
        "a\nb",
        "a\u{7f}",
        "..\\outside",
        &long,
        &deep,
    ] {
        let refused = |answer| matches!(answer, Err(BlobError::BadKey(named)) if named == key);
        assert!(refused(blobs.put(key, Bytes::from_static(b"ours")).await), "put {key:?}");
        assert!(refused(blobs.get(key, ALL).await.map(drop)), "get {key:?}");
        assert!(refused(blobs.remove(key).await), "remove {key:?}");
    }
    for prefix in ["../", "/", "a/../"] {
        assert!(matches!(blobs.list(prefix).await, Err(BlobError::BadKey(_))), "{prefix}");
    }
    assert_eq!(std::fs::read(place.path().join("outside")).unwrap(), b"theirs");
    assert_eq!(on_disk(place.path()), 1);
    let (long, deep) = ("a".repeat(200), ["b"; 8].join("/"));
    for key in [long, deep] {
        blobs.put(&key, Bytes::from_static(b"ours")).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_there_is_never_replaced_by_something_else() {
    let (folder, blobs) = open();
    blobs.put("a/b", Bytes::from_static(b"one")).await.unwrap();
    blobs.put("a/b", Bytes::from_static(b"one")).await.unwrap();
    // Other content of the same and of another length; a folder's name; inside of a file.
    for (key, content) in [("a/b", "two"), ("a/b", "three"), ("a", "x"), ("a/b/c", "x")] {
        let answer = blobs.put(key, Bytes::from_static(content.as_bytes())).await;
        assert!(matches!(answer, Err(BlobError::Taken(ref named)) if named == key), "{answer:?}");
    }
    assert_eq!(blobs.get("a", ALL).await.unwrap(), None);
    assert_eq!(blobs.get("a/b/c", ALL).await.unwrap(), None);
    blobs.remove("a").await.unwrap();
    assert_eq!(blobs.get("a/b", ALL).await.unwrap().unwrap(), "one");
    assert_eq!(on_disk(folder.path()), 1);
}

#[tokio::test]
async fn of_many_at_once_under_one_key_one_is_kept_and_the_others_know() {
    let (folder, blobs) = open();
    let put = |n: u8| blobs.put("a", Bytes::from(vec![n; 100_000]));
    let answers = futures_util::future::join_all((0..16).map(put)).await;
    let kept: Vec<_> = (0..16).filter(|n| answers[usize::from(*n)].is_ok()).collect();
    assert_eq!(kept.len(), 1, "{answers:?}");
    let there = blobs.get("a", ALL).await.unwrap().unwrap();
    assert_eq!(there, vec![kept[0]; 100_000]);
    assert_eq!(on_disk(folder.path()), 1);
}

/// The state a process leaves that is killed after some of its bytes, before the rename.
#[tokio::test]
async fn a_file_whose_writer_died_is_absent_and_can_be_written() {
    let (folder, blobs) = open();
    drop(blobs);
    std::fs::write(folder.path().join(".writing/a.png.0f3c"), "hal").unwrap();
    let blobs = OpendalBlobs::open(folder.path()).unwrap();
    assert!(blobs.list("").await.unwrap().is_empty());
    assert_eq!(blobs.get("a.png", ALL).await.unwrap(), None);
    blobs.put("a.png", Bytes::from_static(b"whole")).await.unwrap();
    assert_eq!(blobs.list("").await.unwrap(), ["a.png"]);
    assert_eq!(on_disk(folder.path()), 1, "what was left is swept");
}

#[tokio::test]
async fn a_full_disk_is_said_and_the_begun_file_gives_its_room_back() {
    let Some(disk) = SmallDisk::mount() else { return };
    let blobs = OpendalBlobs::open(disk.path()).unwrap();
    let of = |mib: usize| Bytes::from(vec![1; mib << 20]);
    blobs.put("fits", of(3)).await.unwrap();
    let answer = blobs.put("large", of(6)).await;
    assert!(matches!(answer, Err(BlobError::Full(_))), "{answer:?}");
    assert_eq!(blobs.get("large", ALL).await.unwrap(), None);
    assert_eq!(blobs.list("").await.unwrap(), ["fits"]);
    blobs.put("small", of(4)).await.unwrap();
    assert_eq!(blobs.get("fits", ALL).await.unwrap(), Some(of(3)));
}
