use super::*;
use crate::domain::{product::ProductStatus, stock::StockBand, tax::TaxCategory, time::Micros};
use redb::{StorageBackend, backends::FileBackend};
use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::FileExt,
    sync::atomic::AtomicUsize,
};
use uuid::Uuid;

pub(super) fn id_of(n: u32) -> ProductId {
    ProductId(Uuid::from_u128(u128::from(n) << 32))
}

fn product(n: u32, popularity: i64) -> DocumentChange {
    product_of(n, popularity, 1200)
}

/// About `words` bytes of description, and 2,300 of JSON and card.
pub(super) fn product_of(n: u32, popularity: i64, words: usize) -> DocumentChange {
    let document = ProductDocument {
        id: id_of(n),
        sku: Sku::new(&format!("SKU-{n}")).unwrap(),
        slug: format!("slug-{n}"),
        name: "A thing".to_owned(),
        brand: None,
        short_description: None,
        description: Some("words ".repeat(words / 6)),
        status: ProductStatus::Active,
        price: None,
        tax_category: TaxCategory::default(),
        stock: StockBand::InStock,
        unit: "each".to_owned(),
        precision: 0,
        categories: Vec::new(),
        images: Vec::new(),
        attributes: BTreeMap::new(),
        options: BTreeMap::new(),
        parent: None,
        variants: Vec::new(),
        popularity,
        created_at: Micros(1),
        updated_at: Micros(1),
    };
    let json = Bytes::from(vec![b'j'; 1500]);
    let card = Bytes::from(vec![b'c'; 800]);
    DocumentChange::Put(Box::new(StoredDocument { document, json, card }))
}

fn at(offset: i64) -> Option<Position> {
    Some(Position { epoch: Uuid::from_u128(7), offset })
}

fn fill(documents: &RedbDocuments, round: i64) -> Result<Touched, DocumentsError> {
    let changes = (0..400).map(|n| product(n, round)).collect();
    documents.apply(&Scope::default(), changes, None, at(round))
}

fn popularity(documents: &RedbDocuments, n: u32) -> i64 {
    let slug = format!("slug-{n}");
    documents.by_slug(&Scope::default(), &slug).unwrap().unwrap().document.popularity
}

/// A disk that has room for so many more blocks; what lies on it already may be written over.
#[derive(Debug, Default)]
struct Disk {
    blocks: Mutex<BTreeSet<u64>>,
    left: AtomicUsize,
}

#[derive(Debug)]
struct OnDisk {
    file: FileBackend,
    disk: Arc<Disk>,
}

const BLOCK: u64 = 4096;

impl StorageBackend for OnDisk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.blocks.lock().unwrap().retain(|block| block * BLOCK < len);
        self.file.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut blocks = self.disk.blocks.lock().unwrap();
        for block in offset / BLOCK..=(offset + data.len() as u64 - 1) / BLOCK {
            if !blocks.contains(&block) {
                let room = |left: usize| left.checked_sub(1);
                if self.disk.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, room).is_err() {
                    return Err(io::Error::from(io::ErrorKind::StorageFull));
                }
                blocks.insert(block);
            }
        }
        self.file.write(offset, data)
    }
    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}

fn on_disk(path: &Path, disk: &Arc<Disk>) -> RedbDocuments {
    let disk = Arc::clone(disk);
    let open = move |path: &Path| {
        let file =
            fs::File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let disk = OnDisk { file: FileBackend::new(file)?, disk: Arc::clone(&disk) };
        // Hardly any cache, so that reads go to the file.
        Builder::new().set_cache_size(64 << 10).create_with_backend(disk)
    };
    RedbDocuments::open_by(path, "one", Box::new(open)).unwrap()
}

#[test]
fn a_full_disk_fails_the_write_and_leaves_the_rest_readable() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk { left: usize::MAX.into(), ..Disk::default() });
    let documents = on_disk(&folder.path().join("documents.redb"), &disk);
    fill(&documents, 1).unwrap();
    let mut failures = 0;
    // Wherever in the write the disk gets full.
    for room in 0.. {
        let before = documents.position().unwrap();
        let known = popularity(&documents, 399);
        disk.left.store(room * 7, Ordering::SeqCst);
        match fill(&documents, 1000 + room as i64) {
            Err(DocumentsError::Full(_)) => failures += 1,
            Err(other) => panic!("{other}"),
            Ok(_) => break,
        }
        assert_eq!(popularity(&documents, 399), known);
        assert_eq!(popularity(&documents, 0), known);
        assert_eq!(documents.position().unwrap(), before);
    }
    assert!(failures > 10, "{failures}");
    disk.left.store(usize::MAX, Ordering::SeqCst);
    fill(&documents, 3).unwrap();
    assert_eq!(popularity(&documents, 0), 3);
    assert_eq!(documents.position().unwrap(), at(3));
}

#[test]
fn what_is_no_file_of_ours_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.redb");
    let rubbish = b"certainly not a database".repeat(1000);
    fs::write(&path, &rubbish).unwrap();
    let refused = RedbDocuments::open(&path, "one").err().unwrap();
    assert!(matches!(refused, DocumentsError::Corrupt(_)), "{refused:?}");
    assert_eq!(fs::read(&path).unwrap(), rubbish);
    let documents = RedbDocuments::open_or_rebuild(&path, "one").unwrap();
    assert_eq!(documents.position().unwrap(), None);
    fill(&documents, 1).unwrap();
    assert_eq!(fs::read(folder.path().join("documents.redb.broken")).unwrap(), rubbish);
}

#[test]
fn a_file_in_use_is_not_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.redb");
    let documents = RedbDocuments::open(&path, "one").unwrap();
    fill(&documents, 1).unwrap();
    let refused = RedbDocuments::open_or_rebuild(&path, "one").err().unwrap();
    assert!(matches!(refused, DocumentsError::Unavailable(_)), "{refused:?}");
    drop(documents);
    let documents = RedbDocuments::open_or_rebuild(&path, "one").unwrap();
    assert_eq!(documents.position().unwrap(), at(1));
}

fn with_little_cache(path: &Path) -> RedbDocuments {
    on_disk(path, &Arc::new(Disk { left: usize::MAX.into(), ..Disk::default() }))
}

/// Overwrites a page, or cuts the file, somewhere.
fn damage(path: &Path, step: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    let pages = file.metadata().unwrap().len() / BLOCK;
    match step {
        0..12 => file.write_all_at(&[0xA5; BLOCK as usize], pages * step / 12 * BLOCK).unwrap(),
        _ => file.set_len(pages * BLOCK * (step - 12) / 4 + 1).unwrap(),
    }
}

fn read_all(documents: &RedbDocuments) -> Result<(), DocumentsError> {
    let scope = Scope::default();
    (0..400).try_for_each(|n| documents.by_slug(&scope, &format!("slug-{n}")).map(drop))
}

#[test]
fn a_closed_file_that_was_damaged_opens_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.redb");
    fill(&RedbDocuments::open(&path, "one").unwrap(), 1).unwrap();
    let whole = fs::read(&path).unwrap();
    for step in 0..16 {
        fs::write(&path, &whole).unwrap();
        damage(&path, step);
        let documents = RedbDocuments::open_or_rebuild(&path, "one").unwrap();
        let read = read_all(&documents);
        assert!(matches!(read, Ok(()) | Err(DocumentsError::Corrupt(_))), "{read:?}");
        documents.clear().unwrap();
        fill(&documents, 3).unwrap();
        assert_eq!(popularity(&documents, 7), 3);
    }
}

#[test]
fn damage_to_a_file_in_use_is_an_error_until_it_is_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.redb");
    let mut noticed = 0;
    for step in 0..16 {
        let documents = with_little_cache(&path);
        fill(&documents, 1).unwrap();
        damage(&path, step);
        match read_all(&documents).and_then(|()| fill(&documents, 2).map(drop)) {
            Err(DocumentsError::Corrupt(_)) => {
                noticed += 1;
                assert!(matches!(documents.position(), Err(DocumentsError::Corrupt(_))));
            }
            Err(other) => panic!("{step}: {other}"),
            Ok(()) => {}
        }
        documents.clear().unwrap();
        assert_eq!((documents.count().unwrap(), documents.position().unwrap()), (0, None));
        fill(&documents, 3).unwrap();
        assert_eq!(popularity(&documents, 7), 3);
        drop(documents);
        fs::remove_file(&path).unwrap();
    }
    assert!(noticed > 8, "{noticed}");
}
