//! Where mail goes: into a folder, as files, or to a server that takes it on.

mod folder;
mod message;
mod smtp;

pub use folder::FolderMailer;
pub use message::{Origin, compose};
pub use smtp::{SmtpConfig, SmtpMailer, SmtpTls};
