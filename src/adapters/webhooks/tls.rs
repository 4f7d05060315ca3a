//! Who is believed to be whom: rustls, with the web's usual authorities and the shop's own.

use std::{path::Path, sync::Arc};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

pub(super) struct Tls(TlsConnector);

impl Tls {
    /// `ca`: certificates that count beside the usual ones, as PEM; empty: none. The error is a
    /// sentence.
    pub(super) fn new(ca: &Path) -> Result<Self, String> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if !ca.as_os_str().is_empty() {
            let shown = ca.display();
            let wrong = |error: &dyn std::error::Error| {
                format!("webhooks.ca: {shown} holds no certificate that can be read: {error}")
            };
            for certificate in CertificateDer::pem_file_iter(ca).map_err(|error| wrong(&error))? {
                let certificate = certificate.map_err(|error| wrong(&error))?;
                roots.add(certificate).map_err(|error| wrong(&error))?;
            }
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("webhooks: no TLS: {error}"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    pub(super) async fn wrap(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, String> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| format!("no certificate can be for {host}: {error}"))?;
        let wrapped = self.0.connect(name, stream).await;
        wrapped.map_err(|error| format!("the TLS handshake failed: {error}"))
    }
}
