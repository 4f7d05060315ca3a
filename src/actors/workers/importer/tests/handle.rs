//! What the handle promises those who hand sources in.

use super::*;
use bytes::Bytes;
use futures_util::stream;

fn pieces(text: &str) -> Vec<Result<Bytes, String>> {
    text.as_bytes().chunks(7).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect()
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn an_upload_is_imported_and_its_file_is_gone_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(MemoryStore::default());
    let imports = process(&store, folder.path());
    let body = stream::iter(pieces(&mixed_rows()));
    let id = imports.submit_stream("upload", options(), body).await.unwrap();
    assert_eq!(files(folder.path()), [format!("{id}.jsonl")]);
    imports.importer().run_all().await.unwrap();
    assert_eq!(end_state(&imports, &store, id).await, undisturbed().await);
    assert_eq!(files(folder.path()), [format!("{id}.errors.ndjson")]);
}

#[tokio::test]
async fn an_upload_that_is_too_large_or_breaks_off_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(MemoryStore::default());
    let imports = process(&store, folder.path());
    let large = stream::iter((0..=16).map(|_| Ok::<_, String>(Bytes::from(vec![b'x'; 1 << 16]))));
    let error = imports.submit_stream("large", options(), large).await.unwrap_err();
    assert!(matches!(error, ImportsError::TooLarge { most } if most == 1 << 20));
    let mut broken = pieces("{\"sku\":\"a\",\"name\":\"n\"}");
    broken.push(Err("the line went dead".into()));
    let error = imports.submit_stream("broken", options(), stream::iter(broken)).await.unwrap_err();
    assert_eq!(error.to_string(), "the source did not arrive whole: the line went dead");
    assert_eq!((files(folder.path()), store.imports().len()), (vec![], 0));
}

#[tokio::test]
async fn a_new_process_clears_away_what_no_import_knows() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(MemoryStore::default());
    let imports = process(&store, folder.path());
    let body = stream::iter(pieces("{\"sku\":\"a\",\"name\":\"n\"}"));
    let id = imports.submit_stream("known", options(), body).await.unwrap();
    drop(imports);
    for name in [
        "00000000-0000-0000-0000-0000000000ff.part",
        "00000000-0000-0000-0000-0000000000fe.jsonl",
        "notes.txt",
    ] {
        std::fs::write(folder.path().join(name), "x").unwrap();
    }
    let imports = process(&store, folder.path());
    let stop = || true;
    assert_eq!(imports.importer().carry_on(&stop).await.unwrap(), Passed::Stopped);
    assert_eq!(files(folder.path()), [format!("{id}.jsonl"), "notes.txt".to_owned()]);
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_there_is_an_import() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(MemoryStore::default());
    let imports = process(&store, folder.path());
    let map = BTreeMap::from([("nmae".to_owned(), "Titel".to_owned())]);
    let odd = ImportOptions { map, ..options() };
    let error = imports.submit_path("x", folder.path(), odd).await.unwrap_err();
    assert!(matches!(error, ImportsError::Options(_)));
    let error = imports.submit_path("x", folder.path(), options()).await.unwrap_err();
    assert!(error.to_string().ends_with("is not a file"), "{error}");
    let error = imports.submit_path("x", Path::new("/nowhere"), options()).await.unwrap_err();
    assert_eq!(error.to_string(), "/nowhere is not there");
    assert!(store.imports().is_empty());
}

#[tokio::test]
async fn an_import_is_cancelled_before_and_while_it_runs_and_can_be_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(MemoryStore::default());
    let imports = process(&store, folder.path());
    let body = stream::iter(pieces(&mixed_rows()));
    let id = imports.submit_stream("upload", options(), body).await.unwrap();
    let progress = imports.progress(id).await.unwrap().unwrap();
    assert_eq!(progress.borrow().state, ImportState::Pending);
    assert_eq!(imports.cancel(id).await.unwrap(), Some(ImportState::Cancelled));
    assert_eq!(progress.borrow().state, ImportState::Cancelled);
    imports.importer().run_all().await.unwrap();
    assert_eq!(imports.get(id).await.unwrap().unwrap().rows_done, 0);

    assert!(imports.resume(id).await.unwrap());
    let mut importer = imports.importer();
    let mut watched = imports.progress(id).await.unwrap().unwrap();
    let cancel = async {
        watched.wait_for(|p| p.counts.read > 8).await.unwrap();
        assert_eq!(imports.cancel(id).await.unwrap(), Some(ImportState::Running));
        watched.wait_for(Progress::ended).await.unwrap().clone()
    };
    let (run, ended) = tokio::join!(importer.run_all(), cancel);
    run.unwrap();
    assert_eq!(ended.state, ImportState::Cancelled);
    let import = imports.get(id).await.unwrap().unwrap();
    assert!(import.rows_done > 8 && import.rows_done < 40, "{}", import.rows_done);

    assert!(imports.resume(id).await.unwrap());
    importer.run_all().await.unwrap();
    assert_eq!(end_state(&imports, &store, id).await, undisturbed().await);
    assert!(matches!(
        imports.resume(id).await.unwrap_err(),
        ImportsError::NotResumable(ImportState::Succeeded)
    ));
    assert_eq!(imports.cancel(id).await.unwrap(), Some(ImportState::Succeeded));
    let nobody = ImportId(Uuid::nil());
    assert_eq!(imports.cancel(nobody).await.unwrap(), None);
    assert!(!imports.resume(nobody).await.unwrap());
    assert!(imports.progress(nobody).await.unwrap().is_none());
}

#[tokio::test]
async fn progress_tells_rows_bytes_and_speed_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(MemoryStore::default());
    let imports = process(&store, folder.path());
    let body = stream::iter(pieces(&mixed_rows()));
    let id = imports.submit_stream("upload", options(), body).await.unwrap();
    let mut watched = imports.progress(id).await.unwrap().unwrap();
    let mut importer = imports.importer();
    let follow = async {
        let (mut told, mut read) = (0, 0);
        loop {
            watched.changed().await.unwrap();
            let now = watched.borrow_and_update().clone();
            assert!(now.counts.read >= read, "it went back");
            assert_eq!(now.source_bytes, mixed_rows().len() as u64);
            read = now.counts.read;
            told += 1;
            if now.ended() {
                return (told, now);
            }
            assert!(now.rows_per_second.is_some_and(|rate| rate > 0.0));
        }
    };
    let (run, (told, last)) = tokio::join!(importer.run_all(), follow);
    run.unwrap();
    assert!(told > 3, "{told}");
    assert_eq!((last.state, last.counts.read), (ImportState::Succeeded, 40));
    assert_eq!(last.bytes_done, last.source_bytes);
}

#[tokio::test]
async fn the_run_to_resume_is_found_by_the_files_content() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(MemoryStore::default());
    let imports = process(&store, &folder.path().join("imports"));
    let file = folder.path().join("rows.jsonl");
    std::fs::write(&file, mixed_rows()).unwrap();
    let id = imports.submit_path("rows.jsonl", &file, options()).await.unwrap();
    let copy = folder.path().join("copy");
    std::fs::copy(&file, &copy).unwrap();
    assert_eq!(imports.resumable(&copy).await.unwrap().unwrap().id, id);
    std::fs::write(&copy, "other").unwrap();
    assert_eq!(imports.resumable(&copy).await.unwrap(), None);
    store.change(id, |import| import.state = ImportState::Succeeded);
    assert_eq!(imports.resumable(&file).await.unwrap(), None);
}
