//! What a connection is encrypted with: rustls, with the web's usual authorities and the shop's own.

use super::{SmtpConfig, SmtpTls};
use lettre::transport::smtp::client::{Certificate, TlsParameters};

pub(super) struct Encryption {
    wish: SmtpTls,
    with: TlsParameters,
}

impl Encryption {
    /// `None`: there is none. The error is a sentence.
    pub(super) fn of(config: &SmtpConfig) -> Result<Option<Self>, String> {
        if config.tls == SmtpTls::None {
            return Ok(None);
        }
        let mut with = TlsParameters::builder(config.host.clone());
        if !config.ca.as_os_str().is_empty() {
            let path = config.ca.display();
            let pem = std::fs::read(&config.ca)
                .map_err(|error| format!("mail.smtp.ca: {path} can't be read: {error}"))?;
            let certificate = Certificate::from_pem(&pem)
                .map_err(|error| format!("mail.smtp.ca: {path} holds no certificate: {error}"))?;
            with = with.add_root_certificate(certificate);
        }
        let with = with.build().map_err(|error| format!("mail.smtp.tls: {error}"))?;
        Ok(Some(Self { wish: config.tls, with }))
    }

    pub(super) fn wrapping(&self) -> Option<TlsParameters> {
        (self.wish == SmtpTls::Implicit).then(|| self.with.clone())
    }

    pub(super) fn on_demand(&self) -> Option<TlsParameters> {
        (self.wish == SmtpTls::Starttls).then(|| self.with.clone())
    }
}
