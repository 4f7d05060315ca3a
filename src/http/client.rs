//! Where a request comes from, also behind a proxy, and whether anybody could listen on the way.
//!
//! `X-Forwarded-For` and `X-Forwarded-Proto` are anybody's word, so they are read only from peers
//! in `http.trusted_proxies`, and of a chain only as far as each link is such a peer: the first
//! address from the right that isn't is the client's.

use crate::http::{access::Caller, config::HttpConfig};
use http::{HeaderMap, HeaderName};
use std::net::{IpAddr, SocketAddr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Peers whose word about a client counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trusted(Vec<Network>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    base: u128,
    /// Leading bits that must agree.
    mask: u128,
}

/// IPv4 lies within IPv6 (RFC 4291 §2.5.5.2), so that one comparison does for both.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => four.to_ipv6_mapped().to_bits(),
        IpAddr::V6(six) => six.to_bits(),
    }
}

impl Trusted {
    /// Addresses and networks such as `10.0.0.0/8`; the error is a sentence.
    pub(crate) fn read(list: &[String]) -> Result<Self, String> {
        list.iter().map(|text| network(text)).collect::<Result<_, _>>().map(Self)
    }

    fn holds(&self, address: IpAddr) -> bool {
        let bits = bits(address);
        self.0.iter().any(|network| bits & network.mask == network.base)
    }
}

fn network(text: &str) -> Result<Network, String> {
    let wrong = || format!("{text:?} is not an address such as 10.0.0.1, or a network 10.0.0.0/8");
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u32>().map_err(|_| wrong())?)),
        None => (text, None),
    };
    let address: IpAddr = address.trim().parse().map_err(|_| wrong())?;
    let (most, before) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
    let length = length.unwrap_or(most);
    if length > most {
        return Err(wrong());
    }
    let mask = match before + length {
        0 => 0,
        length => u128::MAX << (128 - length),
    };
    Ok(Network { base: bits(address) & mask, mask })
}

/// The client of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    /// `None`: over the server's own socket.
    pub(crate) address: Option<IpAddr>,
    /// It came over HTTPS, as the proxy before us says.
    pub(crate) https: bool,
    /// Nobody can listen: over HTTPS, or it never left this machine.
    pub(crate) unheard: bool,
}

impl Client {
    pub(crate) fn of(
        caller: &Caller,
        headers: &HeaderMap,
        trusted: &Trusted,
        config: &HttpConfig,
    ) -> Self {
        let Some(peer) = caller.peer.map(|peer| peer.to_canonical()) else {
            return Self { address: None, https: false, unheard: true };
        };
        let mut address = peer;
        let mut https = false;
        if trusted.holds(peer) {
            let mut forwarded = false;
            for told in chain(headers).rev() {
                // What follows a word that is no address can't be relied on.
                let Some(told) = told else { break };
                (address, forwarded) = (told, true);
                if !trusted.holds(told) {
                    break;
                }
            }
            https = match last(headers, &FORWARDED_PROTO) {
                Some(proto) => proto.eq_ignore_ascii_case("https"),
                None => forwarded && config.is_https(),
            };
        }
        let unheard = https || address.is_loopback();
        Self { address: Some(address), https, unheard }
    }

    /// What tries are counted by: the address, of IPv6 the network that one household gets. `None`
    /// for this machine.
    pub(crate) fn counted(&self) -> Option<String> {
        match self.address? {
            address if address.is_loopback() => None,
            IpAddr::V4(four) => Some(four.to_string()),
            IpAddr::V6(six) => {
                let [a, b, c, d, ..] = six.segments();
                Some(format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"))
            }
        }
    }

    /// As a session's list and the log show it.
    pub(crate) fn shown(&self) -> String {
        self.address.map_or_else(|| "socket".to_owned(), |address| address.to_string())
    }
}

/// The addresses told, from the client's side to ours; `None` for a word that is none.
fn chain(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = Option<IpAddr>> {
    let lines = headers.get_all(FORWARDED_FOR).into_iter();
    let words = lines.flat_map(|line| line.to_str().unwrap_or("?").split(','));
    words.map(address).collect::<Vec<_>>().into_iter()
}

/// With or without a port.
fn address(word: &str) -> Option<IpAddr> {
    let word = word.trim();
    let plain = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word);
    let address: Option<IpAddr> = plain.parse().ok();
    let address = address.or_else(|| word.parse::<SocketAddr>().ok().map(|it| it.ip()));
    address.map(|address| address.to_canonical())
}

fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let line = headers.get_all(name).into_iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn client(peer: &str, forwarded: &[&str], proto: Option<&str>) -> (String, bool, bool) {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        if let Some(proto) = proto {
            headers.append(FORWARDED_PROTO, proto.parse().unwrap());
        }
        let trusted =
            Trusted::read(&["127.0.0.0/8".into(), "10.1.0.0/16".into(), "fd00::/8".into()]);
        let config =
            HttpConfig { public_url: Some("https://shop.example".into()), ..HttpConfig::default() };
        let caller =
            Caller { request_id: HeaderValue::from_static("r"), peer: Some(peer.parse().unwrap()) };
        let client = Client::of(&caller, &headers, &trusted.unwrap(), &config);
        (client.shown(), client.https, client.unheard)
    }

    #[test]
    fn what_a_stranger_says_of_itself_is_not_believed() {
        let lied = client("203.0.113.9", &["127.0.0.1"], Some("https"));
        assert_eq!(lied, ("203.0.113.9".into(), false, false));
    }

    #[test]
    fn behind_proxies_the_client_is_the_first_that_is_none_of_them() {
        let told = |lines: &[&str]| client("127.0.0.1", lines, Some("https")).0;
        assert_eq!(told(&["203.0.113.9"]), "203.0.113.9");
        assert_eq!(told(&["1.1.1.1, 203.0.113.9, 10.1.2.3"]), "203.0.113.9");
        assert_eq!(told(&["1.1.1.1", "203.0.113.9", "10.1.2.3"]), "203.0.113.9");
        assert_eq!(told(&["203.0.113.9:4711"]), "203.0.113.9");
        assert_eq!(told(&["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(told(&["[2001:db8::1]"]), "2001:db8::1");
        assert_eq!(told(&["203.0.113.9, unknown, 10.1.2.3"]), "10.1.2.3");
        assert_eq!(told(&["10.1.9.9, 10.1.2.3"]), "10.1.9.9");
        assert_eq!(told(&[]), "127.0.0.1");
    }

    #[test]
    fn only_https_and_this_machine_are_unheard() {
        let unheard = |peer, lines: &[&str], proto| client(peer, lines, proto).2;
        assert!(unheard("127.0.0.1", &[], None));
        assert!(unheard("::1", &[], None));
        assert!(unheard("::ffff:127.0.0.1", &[], None));
        assert!(!unheard("127.0.0.1", &["203.0.113.9"], Some("http")));
        assert!(unheard("127.0.0.1", &["203.0.113.9"], Some("https")));
        // A proxy that doesn't say is taken to serve what the shop's public address says.
        assert!(unheard("127.0.0.1", &["203.0.113.9"], None));
        assert!(!unheard("203.0.113.9", &[], None));
        // The last word is our own proxy's.
        assert!(!unheard("127.0.0.1", &["203.0.113.9"], Some("https, http")));
    }

    #[test]
    fn a_household_counts_as_one_and_this_machine_as_none() {
        let counted = |address: &str| {
            let address = Some(address.parse().unwrap());
            Client { address, https: false, unheard: false }.counted()
        };
        assert_eq!(counted("203.0.113.9").as_deref(), Some("203.0.113.9"));
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), counted("2001:db8:1:2::1"));
        assert_ne!(counted("2001:db8:1:2::1"), counted("2001:db8:1:3::1"));
        assert_eq!((counted("127.0.0.1"), counted("::1")), (None, None));
    }

    #[test]
    fn a_network_that_is_none_is_refused() {
        for text in ["", "10.0.0.0/33", "::/129", "ten", "10.0.0.0/", "10.0.0/8"] {
            assert!(Trusted::read(&[text.into()]).is_err(), "{text}");
        }
        let all = Trusted::read(&["::/0".into()]).unwrap();
        assert!(all.holds("8.8.8.8".parse().unwrap()));
        let four = Trusted::read(&["0.0.0.0/0".into()]).unwrap();
        assert!(
            four.holds("8.8.8.8".parse().unwrap()) && !four.holds("2001:db8::1".parse().unwrap())
        );
    }
}
