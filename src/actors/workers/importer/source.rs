//! The bytes of a source: opened, unpacked, counted. All of it blocks.

use crate::ports::imports::Compression;
use sha2::{Digest, Sha256};
use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Why a source can't be read, or no further, as a sentence for whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SourceError(pub(crate) String);

impl SourceError {
    pub(super) fn reading(error: &io::Error) -> Self {
        Self(match error.kind() {
            io::ErrorKind::UnexpectedEof => "the source ends in the middle: it was cut off".into(),
            _ => format!("the source can't be read further: {error}"),
        })
    }
}

const BUFFER: usize = 128 * 1024;

fn open_file(path: &Path) -> Result<File, SourceError> {
    let said = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => SourceError(format!("{} is not there", path.display())),
        _ => SourceError(format!("{} can't be opened: {error}", path.display())),
    };
    let file = File::open(path).map_err(said)?;
    if !file.metadata().map_err(said)?.is_file() {
        return Err(SourceError(format!("{} is not a file", path.display())));
    }
    Ok(file)
}

/// The source's text. `taken` counts the bytes read of the file as stored.
pub(super) fn open(
    path: &Path,
    compression: Compression,
    taken: &Arc<AtomicU64>,
) -> Result<Box<dyn BufRead + Send>, SourceError> {
    let file = Metered { inner: open_file(path)?, taken: Arc::clone(taken) };
    let packed = BufReader::with_capacity(BUFFER, file);
    let text: Box<dyn Read + Send> = match compression {
        Compression::None => return Ok(Box::new(packed)),
        // Both go on with a further stream behind the first, as `cat a.gz b.gz` makes them.
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        Compression::Zstd => Box::new(
            zstd::stream::read::Decoder::with_buffer(packed)
                .map_err(|error| SourceError::reading(&error))?,
        ),
    };
    Ok(Box::new(BufReader::with_capacity(BUFFER, text)))
}

struct Metered {
    inner: File,
    taken: Arc<AtomicU64>,
}

impl Read for Metered {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

pub(super) fn length(path: &Path) -> Result<u64, SourceError> {
    let file = open_file(path)?;
    file.metadata().map(|meta| meta.len()).map_err(|error| SourceError::reading(&error))
}

/// SHA-256 in hex and length of a source as stored.
pub(super) fn fingerprint(path: &Path) -> Result<(String, u64), SourceError> {
    let mut file = open_file(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    let mut bytes = 0;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => return Ok((hex(&hash.finalize()), bytes)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(SourceError::reading(&error)),
        };
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
