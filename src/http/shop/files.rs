//! The operator's own files, pictures of products mostly, from `files/public`.
//!
//! Only kinds that run nothing in a browser are served (so no SVG), each under the type its name
//! says and only when its first bytes agree.

use crate::{
    http::{
        app::App,
        error::{Code, Problem},
        extract::Param,
        headers,
        page::{Keep, Page},
        resource::{Asked, Operation, Resource},
    },
    ports::blobs::BlobError,
};
use std::sync::Arc;
use tokio::task::spawn_blocking;
use warp::reply::Response;

const NONE: &[Param] = &[];
/// A file is held in memory while it is sent.
const MOST_BYTES: u64 = 16 << 20;

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::new("/files/{file}", [Operation::page(NONE, |a, b| Box::pin(show_file(a, b)))])]
}

async fn show_file(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let name = &asked.path[0];
    // An escaped `/` would lead into folders, whose files nobody has given out.
    let kind = Kind::of(name).filter(|_| !name.contains('/')).ok_or_else(Problem::not_found)?;
    let found = match app.files.get(name, MOST_BYTES).await {
        Err(BlobError::TooLarge { most, .. }) => {
            let told = format!("files of at most {most} bytes are served");
            return Err(Problem::new(Code::NotFound, told));
        }
        found => found?.ok_or_else(Problem::not_found)?,
    };
    if !kind.begins(&found) {
        return Err(Problem::new(Code::NotFound, "the file is not what its name says"));
    }
    let extra = headers::of_data(&app.config);
    // The tag's hash of a large file would hold up other requests.
    let page = spawn_blocking(move || Page::new(kind.content_type(), found, Keep::Hour, &extra));
    Ok(page.await.map_err(Problem::internal)?.answer(&asked.method, &asked.headers))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Jpeg,
    Png,
    Webp,
    Avif,
    Gif,
    Pdf,
}

impl Kind {
    /// By the end of the name, in capitals or not.
    fn of(name: &str) -> Option<Self> {
        let (_, end) = name.rsplit_once('.')?;
        Some(match end.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" => Self::Jpeg,
            "png" => Self::Png,
            "webp" => Self::Webp,
            "avif" => Self::Avif,
            "gif" => Self::Gif,
            "pdf" => Self::Pdf,
            _ => return None,
        })
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
            Self::Gif => "image/gif",
            Self::Pdf => "application/pdf",
        }
    }

    /// Whether a file of this kind begins so.
    fn begins(self, bytes: &[u8]) -> bool {
        match self {
            Self::Jpeg => bytes.starts_with(b"\xff\xd8\xff"),
            Self::Png => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
            Self::Webp => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
            Self::Avif => is_avif(bytes),
            Self::Gif => bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a"),
            Self::Pdf => bytes.starts_with(b"%PDF-"),
        }
    }
}

/// The first box is `ftyp` and names AVIF among its brands (ISO/IEC 14496-12 §4.3).
fn is_avif(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return false };
    let Some(brands) = rest.strip_prefix(b"ftyp") else { return false };
    let length = u32::from_be_bytes(*length).saturating_sub(8) as usize;
    let brands = &brands[..length.min(brands.len()).min(256)];
    brands.chunks_exact(4).any(|brand| brand == b"avif" || brand == b"avis")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_by_name_and_first_bytes() {
        let heads: [(&str, &[u8]); 7] = [
            ("a.JPG", b"\xff\xd8\xff\xe0"),
            ("a.jpeg", b"\xff\xd8\xff\xe1"),
            ("a.png", b"\x89PNG\r\n\x1a\n"),
            ("a.webp", b"RIFF\x10\0\0\0WEBPVP8 "),
            ("a.avif", b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif"),
            ("a.gif", b"GIF89a"),
            ("a.b.pdf", b"%PDF-1.7"),
        ];
        for (name, head) in heads {
            let kind = Kind::of(name).unwrap();
            for (other, begin) in heads {
                assert_eq!(kind.begins(begin), Kind::of(other) == Some(kind), "{name} {other}");
            }
            assert!(kind.begins(head) && !kind.begins(&head[..2]), "{name}");
            assert!(!kind.begins(b"<script>alert(1)</script>"), "{name}");
        }
        for name in ["a.svg", "a.html", "a.js", "png", "a.png.html", "a."] {
            assert_eq!(Kind::of(name), None, "{name}");
        }
    }

    #[test]
    fn a_brand_outside_of_the_first_box_is_none() {
        assert!(!is_avif(b"\0\0\0\x10ftypmif1\0\0\0\0avif"));
        assert!(!is_avif(b"\0\0\0\0ftypavif"));
    }
}
