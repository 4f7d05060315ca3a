//! The file of a backup: a zstd-packed tar whose last entry lists the others with their hashes.
//!
//! Because the list comes last, a file that was cut off has none and is refused as a whole; and
//! because each entry's hash is in it, so is one with a flipped bit. Blocks; held in constant
//! memory however large an entry is.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Component, Path, PathBuf},
};
use uuid::Uuid;

/// Of this form of a backup; another is refused.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
/// A list of a million files is not larger.
const MOST_MANIFEST_BYTES: u64 = 256 << 20;
/// zstd's own default: packs a database to about a third at disk speed.
const LEVEL: i32 = 3;
const PIECE: usize = 128 << 10;

/// What a backup says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    /// Of the program that wrote it.
    pub(crate) version: String,
    /// RFC 3339, UTC.
    pub(crate) created_at: String,
    pub(crate) database_id: Uuid,
    /// The last event of the log that is in it: what was committed up to there can be restored.
    pub(crate) mark: i64,
    pub(crate) products: u64,
    /// By their path from the data folder.
    pub(crate) entries: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) bytes: u64,
    /// Hexadecimal.
    pub(crate) sha256: String,
}

impl Manifest {
    pub(crate) fn new(created_at: String, database_id: Uuid, mark: i64, products: u64) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").into(),
            created_at,
            database_id,
            mark,
            products,
            entries: BTreeMap::new(),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.entries.values().map(|entry| entry.bytes).sum()
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// The backup can't be used, for what is said.
    #[error("{} is not a whole backup: {why}", path.display())]
    Broken { path: PathBuf, why: String },
}

fn of<'a>(path: &'a Path) -> impl FnOnce(io::Error) -> ArchiveError + Copy + 'a {
    move |source| ArchiveError::File { path: path.to_owned(), source }
}

/// Writes a backup of `sources`, each a name inside and a file, to `path`, which must not be there,
/// and syncs it. `moved` is told how many bytes went in. A source that has gone is left out, unless
/// it is the first.
pub(crate) fn pack(
    path: &Path,
    mut manifest: Manifest,
    sources: Vec<(String, PathBuf)>,
    moved: &mut dyn FnMut(u64),
) -> Result<Manifest, ArchiveError> {
    let file = File::create_new(path).map_err(of(path))?;
    let packer = zstd::Encoder::new(BufWriter::new(file), LEVEL).map_err(of(path))?;
    let mut tar = tar::Builder::new(packer);
    for (number, (name, source)) in sources.into_iter().enumerate() {
        let open = File::open(&source).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (bytes, file) = match open {
            Err(error) if number > 0 && error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened.map_err(of(&source))?,
        };
        let mut reader = Hashing::new(BufReader::with_capacity(PIECE, file.take(bytes)), moved);
        let mut header = header(bytes);
        // A file that shrank meanwhile would shift all that follows: the lengths must agree.
        tar.append_data(&mut header, &name, &mut reader).map_err(of(path))?;
        let (read, sha256) = reader.end();
        if read != bytes {
            let source_error = io::Error::other("it changed while it was copied; try again");
            return Err(ArchiveError::File { path: source, source: source_error });
        }
        manifest.entries.insert(name, Entry { bytes, sha256 });
    }
    let list = serde_json::to_vec(&manifest).map_err(|error| of(path)(error.into()))?;
    tar.append_data(&mut header(list.len() as u64), MANIFEST, list.as_slice()).map_err(of(path))?;
    let file = tar
        .into_inner()
        .and_then(zstd::Encoder::finish)
        .and_then(|buffer| buffer.into_inner().map_err(io::IntoInnerError::into_error))
        .map_err(of(path))?;
    file.sync_all().map_err(of(path))?;
    Ok(manifest)
}

/// Reads a whole backup and compares it with its list. With `into`, an empty folder, writes what
/// is in it there; nothing of it may be used when this fails.
pub(crate) fn unpack(
    path: &Path,
    into: Option<&Path>,
    moved: &mut dyn FnMut(u64),
) -> Result<Manifest, ArchiveError> {
    let broken = |why: String| ArchiveError::Broken { path: path.to_owned(), why };
    let cut = |error: io::Error| broken(format!("it can't be read to its end ({error})"));
    let file = File::open(path).map_err(of(path))?;
    let unpacker = zstd::Decoder::new(file).map_err(of(path))?;
    let mut tar = tar::Archive::new(unpacker);
    let mut found = BTreeMap::new();
    let mut manifest: Option<Manifest> = None;
    for entry in tar.entries().map_err(cut)? {
        let entry = entry.map_err(cut)?;
        let name = entry.path().map_err(cut)?.into_owned();
        let name = safe(&name).ok_or_else(|| broken(format!("it has the name {name:?}")))?;
        if !entry.header().entry_type().is_file() || manifest.is_some() {
            return Err(broken(format!("{name} is none that a backup has there")));
        }
        if name == MANIFEST {
            let list = serde_json::from_reader(entry.take(MOST_MANIFEST_BYTES));
            manifest = Some(list.map_err(|error| broken(format!("its list: {error}")))?);
            continue;
        }
        let mut reader = Hashing::new(entry, moved);
        match into {
            None => drop(io::copy(&mut reader, &mut io::sink()).map_err(cut)?),
            Some(folder) => write(&mut reader, &folder.join(&name), cut)?,
        }
        let (bytes, sha256) = reader.end();
        if found.insert(name.clone(), Entry { bytes, sha256 }).is_some() {
            return Err(broken(format!("{name} is in it twice")));
        }
    }
    let manifest =
        manifest.ok_or_else(|| broken("its list is missing, so it was cut off".into()))?;
    if manifest.format != FORMAT {
        let (is, reads) = (manifest.format, FORMAT);
        return Err(broken(format!("it has form {is}, and this version reads form {reads}")));
    }
    match manifest.entries.iter().find(|(name, entry)| found.get(*name) != Some(entry)) {
        Some((name, _)) => Err(broken(format!("{name} is not what was put in"))),
        None if found.len() != manifest.entries.len() => {
            Err(broken("it holds more than its list".into()))
        }
        None => Ok(manifest),
    }
}

fn write(
    reader: &mut impl Read,
    target: &Path,
    cut: impl FnOnce(io::Error) -> ArchiveError,
) -> Result<(), ArchiveError> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(of(folder))?;
    }
    let mut file = File::create_new(target).map_err(of(target))?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => return Err(cut(error)),
        };
        file.write_all(&piece[..read]).map_err(of(target))?;
    }
    file.sync_all().map_err(of(target))
}

/// A plain path downwards, or none of ours.
fn safe(name: &Path) -> Option<String> {
    let plain = name.components().all(|part| matches!(part, Component::Normal(_)));
    name.to_str().filter(|text| plain && !text.is_empty()).map(str::to_owned)
}

fn header(bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header
}

/// Counts and hashes what passes.
struct Hashing<'a, R> {
    inner: R,
    hash: Sha256,
    bytes: u64,
    moved: &'a mut dyn FnMut(u64),
}

impl<'a, R: Read> Hashing<'a, R> {
    fn new(inner: R, moved: &'a mut dyn FnMut(u64)) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0, moved }
    }

    fn end(self) -> (u64, String) {
        let hex = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        (self.bytes, hex)
    }
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.hash.update(&into[..read]);
        self.bytes += read as u64;
        (self.moved)(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest::new("2026-01-01T00:00:00Z".into(), Uuid::nil(), 7, 1)
    }

    /// A backup of two files, and the folder they came from.
    fn packed(place: &Path) -> PathBuf {
        fs::write(place.join("a"), vec![7; 3_000]).unwrap();
        fs::write(place.join("b"), b"small").unwrap();
        let sources = vec![
            ("stoa.db".into(), place.join("a")),
            ("files/public/b.png".into(), place.join("b")),
            ("files/public/gone.png".into(), place.join("gone")),
        ];
        let path = place.join("backup");
        pack(&path, manifest(), sources, &mut |_| ()).unwrap();
        path
    }

    #[test]
    fn what_was_packed_comes_out_the_same() {
        let place = tempfile::tempdir().unwrap();
        let path = packed(place.path());
        let into = place.path().join("out");
        let mut moved = 0;
        let manifest = unpack(&path, Some(&into), &mut |bytes| moved += bytes).unwrap();
        assert_eq!((manifest.mark, manifest.entries.len(), moved), (7, 2, 3_005));
        assert_eq!(fs::read(into.join("stoa.db")).unwrap(), vec![7; 3_000]);
        assert_eq!(fs::read(into.join("files/public/b.png")).unwrap(), b"small");
    }

    #[test]
    fn a_backup_that_was_cut_or_changed_anywhere_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = packed(place.path());
        let whole = fs::read(&path).unwrap();
        let other = place.path().join("other");
        for length in 0..whole.len() {
            fs::write(&other, &whole[..length]).unwrap();
            assert!(unpack(&other, None, &mut |_| ()).is_err(), "cut at {length}");
        }
        let before = unpack(&path, None, &mut |_| ()).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            fs::write(&other, &changed).unwrap();
            // A bit that means nothing may pass; one that changes what comes out may not.
            if let Ok(after) = unpack(&other, None, &mut |_| ()) {
                assert_eq!(after.entries, before.entries, "byte {at}");
            }
        }
    }

    #[test]
    fn a_name_that_leads_out_of_the_folder_is_none() {
        for name in ["../x", "/etc/x", "a/../../x", ""] {
            assert_eq!(safe(Path::new(name)), None, "{name}");
        }
        assert_eq!(safe(Path::new("files/a b.png")).as_deref(), Some("files/a b.png"));
    }
}
