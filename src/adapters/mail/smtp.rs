//! Mail to a server that takes it on (RFC 5321), by lettre; one connection a mail.
//!
//! Given up is only what the server refuses of this mail for good: its recipient, or its content.
//! Whatever else goes wrong (nobody there, a login or a sender that isn't taken) is somebody's to
//! mend and tried again. When a connection breaks behind the text nobody knows whether it was
//! taken, so it is sent once more, under the same `Message-ID`. It holds nothing, so nothing is lost
//! when a try is cut short.

use super::{Origin, compose};
use crate::{
    domain::secret::Secret,
    ports::mail::{Letter, MailError, Mailer},
};
use async_trait::async_trait;
use lettre::{
    Address,
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::AsyncSmtpConnection,
        commands::{Data, Mail, Rcpt},
        extension::ClientId,
    },
};
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

#[cfg(feature = "production")]
mod encrypted;
#[cfg(feature = "production")]
use encrypted::Encryption;

/// For the connection to be there; how long a whole try may take, its caller says.
const TO_CONNECT: Duration = Duration::from_secs(20);

/// The `[mail.smtp]` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Empty: there is none.
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    pub user: String,
    pub password: Secret,
    /// Certificates that count beside the usual ones, as PEM; empty: none.
    pub ca: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// The server must offer `STARTTLS`, before anything is said that matters.
    Starttls,
    /// From the first byte on.
    Implicit,
    None,
}

impl SmtpConfig {
    /// The key that can't be worked with, and why.
    pub fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        if self.host.is_empty() {
            return Ok(());
        }
        if self.host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@".contains(c)) {
            return Err(("host", "must be a name or an address alone, as mail.example.com"));
        }
        if self.port == 0 {
            return Err(("port", "must be at least 1"));
        }
        if self.user.is_empty() != self.password.expose().is_empty() {
            return Err(("user", "and mail.smtp.password belong together: set both or neither"));
        }
        let near = matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if self.tls == SmtpTls::None {
            return match self.user.is_empty() || near {
                true => Ok(()),
                false => {
                    Err(("tls", "must not be none where a password is sent to another machine"))
                }
            };
        }
        match cfg!(feature = "production") {
            true => Ok(()),
            false => Err((
                "tls",
                "needs a binary that was built with `--features production`; without it only none \
                 is possible, to a server on this machine or in a network you trust",
            )),
        }
    }
}

pub struct SmtpMailer {
    origin: Origin,
    sender: Address,
    name: ClientId,
    host: String,
    port: u16,
    login: Option<Credentials>,
    #[cfg(feature = "production")]
    encryption: Option<Encryption>,
}

impl SmtpMailer {
    /// A valid configuration with a host; the error is a sentence.
    pub fn new(config: &SmtpConfig, origin: Origin) -> Result<Self, String> {
        let sender: Address = origin.address.parse().map_err(|error| {
            format!("mail.from: {} is no address that a server takes: {error}", origin.address)
        })?;
        let login = (!config.user.is_empty())
            .then(|| Credentials::new(config.user.clone(), config.password.expose().to_owned()));
        Ok(Self {
            #[cfg(feature = "production")]
            encryption: Encryption::of(config)?,
            name: ClientId::Domain(origin.host().to_owned()),
            sender,
            origin,
            host: config.host.clone(),
            port: config.port,
            login,
        })
    }

    /// Connected, encrypted if that was asked for, and logged in.
    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        #[cfg(feature = "production")]
        let wrapped = self.encryption.as_ref().and_then(Encryption::wrapping);
        #[cfg(not(feature = "production"))]
        let wrapped = None;
        let to = (self.host.as_str(), self.port);
        let connecting =
            AsyncSmtpConnection::connect_tokio1(to, Some(TO_CONNECT), &self.name, wrapped, None);
        let mut connection = connecting.await?;
        #[cfg(feature = "production")]
        if let Some(on_demand) = self.encryption.as_ref().and_then(Encryption::on_demand) {
            connection.starttls(on_demand, &self.name).await?;
        }
        if let Some(login) = &self.login {
            connection.auth(DEFAULT_MECHANISMS, login).await?;
        }
        connection.command(Mail::new(Some(self.sender.clone()), Vec::new())).await?;
        Ok(connection)
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let recipient: Address = letter.recipient.parse().map_err(|error| {
            MailError::Never(format!("{} is no address: {error}", letter.recipient))
        })?;
        // Whatever it is, it is not this mail's fault.
        let mut connection = self.connect().await.map_err(|error| later(&error))?;
        let handed_over = async {
            connection.command(Rcpt::new(recipient, Vec::new())).await?;
            connection.command(Data).await?;
            // All ASCII: what is not is encoded.
            connection.message(compose(&self.origin, letter).as_bytes()).await
        }
        .await;
        // Taken or not, what it says to our good-bye changes nothing.
        connection.abort().await;
        match handed_over {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(MailError::Never(told(&error))),
            Err(error) => Err(later(&error)),
        }
    }
}

fn later(error: &SmtpError) -> MailError {
    MailError::Later(told(error))
}

/// With what is behind it, on one line.
fn told(error: &SmtpError) -> String {
    let mut text = error.to_string();
    let mut behind = std::error::Error::source(error);
    while let Some(error) = behind {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        behind = error.source();
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}

#[cfg(test)]
mod tests;
