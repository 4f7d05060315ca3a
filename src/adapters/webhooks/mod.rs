//! Webhooks out over HTTP, to whoever registered an endpoint: hence to where it is safe to post.
//!
//! Promise: a try ends in bounded time, reads a bounded answer, and connects to nothing but addresses
//! that were judged for it. A name is looked up once a try; when one of the addresses it leads to is
//! refused, all are, and the connection goes to one of those that were judged, so a name that leads
//! elsewhere a moment later changes nothing. Redirects are answers like others and not followed.
//! It holds nothing: a try that is cut short is one whose answer nobody saw.

mod addresses;
mod exchange;
mod retry_after;
mod target;
#[cfg(feature = "production")]
mod tls;

#[cfg(test)]
mod tests;

use crate::{
    domain::secret::Secret,
    ports::webhooks::{Courier, CourierError, Parcel, Receipt},
    signing::WebhookKey,
};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, header, response::Parts};
use http_body_util::Full;
use serde::Deserialize;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};
use target::Target;
use tokio::net::TcpStream;

/// Of the addresses that a name leads to, so many are tried.
const MOST_ADDRESSES: usize = 4;

/// Where endpoints may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// On the public internet, by https.
    Public,
    /// Wherever this process can connect to, by http too: for trying things out on one's own
    /// machine. Whoever may register an endpoint reaches the machine's own services with it.
    Anywhere,
}

/// The `[webhooks]` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksConfig {
    pub reach: Reach,
    /// Certificates that count beside the usual ones, as PEM; empty: none.
    pub ca: PathBuf,
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection to one address.
    pub connection: Duration,
    /// For a whole try.
    pub whole: Duration,
    /// For the answer's body, which is for the log alone.
    pub body: Duration,
}

impl Patience {
    pub const DEFAULT: Self = Self {
        connection: Duration::from_secs(5),
        whole: Duration::from_secs(20),
        body: Duration::from_secs(2),
    };
}

/// Where names lead.
#[async_trait]
pub trait Names: Send + Sync {
    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// As the system has it.
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
}

pub struct HttpCourier<N = SystemNames> {
    reach: Reach,
    patience: Patience,
    names: N,
    #[cfg(feature = "production")]
    tls: tls::Tls,
}

impl HttpCourier {
    /// `ca`: certificates that count beside the web's usual ones, as PEM; empty: none. The error is a
    /// sentence.
    pub fn new(reach: Reach, ca: &Path) -> Result<Self, String> {
        HttpCourier::with(reach, ca, Patience::DEFAULT, SystemNames)
    }
}

impl<N: Names> HttpCourier<N> {
    pub fn with(reach: Reach, ca: &Path, patience: Patience, names: N) -> Result<Self, String> {
        #[cfg(not(feature = "production"))]
        let _without_tls = ca;
        Ok(Self {
            reach,
            patience,
            names,
            #[cfg(feature = "production")]
            tls: tls::Tls::new(ca)?,
        })
    }

    /// Where to post, and the addresses that may be connected to.
    async fn way(&self, url: &str) -> Result<(Target, Vec<SocketAddr>), CourierError> {
        let target = Target::read(url, self.reach).map_err(CourierError::Never)?;
        let host = &target.host;
        let mut addresses = self
            .names
            .look_up(host, target.port)
            .await
            .map_err(|error| CourierError::Later(format!("{host} leads nowhere: {error}")))?;
        let refused = addresses.iter().find(|address| !addresses::is_public(address.ip()));
        if let (Reach::Public, Some(refused)) = (self.reach, refused) {
            let ip = refused.ip();
            return Err(CourierError::Later(format!(
                "{host} leads to {ip}, which is not on the public internet"
            )));
        }
        if addresses.is_empty() {
            return Err(CourierError::Later(format!("{host} leads nowhere")));
        }
        addresses.truncate(MOST_ADDRESSES);
        Ok((target, addresses))
    }

    async fn connect(&self, addresses: &[SocketAddr]) -> Result<TcpStream, String> {
        let mut why = String::new();
        for address in addresses {
            let connecting = TcpStream::connect(address);
            why = match tokio::time::timeout(self.patience.connection, connecting).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => format!("{address} can't be connected to: {error}"),
                Err(_) => format!("{address} doesn't take the connection"),
            };
        }
        Err(why)
    }

    async fn carry(&self, parcel: &Parcel) -> Result<(Parts, String), CourierError> {
        self.admits(&parcel.url).map_err(CourierError::Never)?;
        let (target, addresses) = self.way(&parcel.url).await?;
        let request = request(&target, parcel)?;
        let stream = self.connect(&addresses).await.map_err(CourierError::Later)?;
        let answer = if target.secure {
            self.encrypted(&target, stream, request).await
        } else {
            exchange::exchange(stream, request, self.patience.body).await
        };
        answer.map_err(CourierError::Later)
    }

    #[cfg(feature = "production")]
    async fn encrypted(
        &self,
        target: &Target,
        stream: TcpStream,
        request: Request<Full<Bytes>>,
    ) -> Result<(Parts, String), String> {
        let stream = self.tls.wrap(&target.host, stream).await?;
        exchange::exchange(stream, request, self.patience.body).await
    }

    #[cfg(not(feature = "production"))]
    async fn encrypted(
        &self,
        _: &Target,
        _: TcpStream,
        _: Request<Full<Bytes>>,
    ) -> Result<(Parts, String), String> {
        Err(WITHOUT_TLS.to_owned())
    }
}

/// What https needs.
const WITHOUT_TLS: &str = "https needs a binary that was built with `--features production`";

#[async_trait]
impl<N: Names> Courier for HttpCourier<N> {
    fn admits(&self, url: &str) -> Result<(), String> {
        let target = Target::read(url, self.reach)?;
        let address: Option<IpAddr> = target.host.parse().ok();
        match address {
            // A name's addresses are looked at with each try.
            Some(ip) if self.reach == Reach::Public && !addresses::is_public(ip) => {
                Err(format!("{ip} is not on the public internet"))
            }
            _ if target.secure && !cfg!(feature = "production") => Err(WITHOUT_TLS.to_owned()),
            _ => Ok(()),
        }
    }

    fn new_secret(&self, key: &[u8; 32]) -> Secret {
        Secret::new(WebhookKey::write(key))
    }

    async fn post(&self, parcel: &Parcel) -> Result<Receipt, CourierError> {
        let whole = self.patience.whole;
        let Ok(answer) = tokio::time::timeout(whole, self.carry(parcel)).await else {
            let late = format!("there was no answer within {} s", whole.as_secs_f32());
            return Err(CourierError::Later(late));
        };
        let (head, said) = answer?;
        let wait = retry_after::read(&head.headers, parcel.at);
        Ok(Receipt { status: head.status.as_u16(), said, wait })
    }
}

fn request(target: &Target, parcel: &Parcel) -> Result<Request<Full<Bytes>>, CourierError> {
    let never = |why: &str| CourierError::Never(why.to_owned());
    let keys: Option<Vec<WebhookKey>> =
        parcel.secrets.iter().map(|secret| WebhookKey::parse(secret.expose())).collect();
    let keys = keys.ok_or_else(|| never("the endpoint's secret is none"))?;
    let id = parcel.delivery.to_string();
    let signed = WebhookKey::sign_with_all(&keys, &id, parcel.at, &parcel.body)
        .ok_or_else(|| never("the endpoint has no secret"))?;
    let mut request = Request::post(&target.path)
        .header(header::HOST, &target.authority)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("stoa/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(parcel.body.clone()))
        .map_err(|error| never(&error.to_string()))?;
    request.headers_mut().extend(signed);
    Ok(request)
}
