//! Which addresses may be posted to from within: those of the public internet.
//!
//! Whoever registers an endpoint says where this process connects to. So what only this machine, its
//! network or its provider's can reach is refused, whatever name led there. IPv4 is what IANA's
//! special-purpose registry doesn't list, IPv6 what is global unicast and not listed; an IPv4
//! address in IPv6's clothes is judged as what it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block: its first address, and how many bits all of it share.
struct Block4([u8; 4], u32);

/// IANA's IPv4 special-purpose registry, multicast, and one provider's own.
const SPECIAL_4: &[Block4] = &[
    Block4([0, 0, 0, 0], 8),
    Block4([10, 0, 0, 0], 8),
    Block4([100, 64, 0, 0], 10),
    Block4([127, 0, 0, 0], 8),
    // Where most clouds tell a machine its secrets.
    Block4([169, 254, 0, 0], 16),
    Block4([172, 16, 0, 0], 12),
    Block4([192, 0, 0, 0], 24),
    Block4([192, 0, 2, 0], 24),
    Block4([192, 88, 99, 0], 24),
    Block4([192, 168, 0, 0], 16),
    Block4([198, 18, 0, 0], 15),
    Block4([198, 51, 100, 0], 24),
    Block4([203, 0, 113, 0], 24),
    Block4([224, 0, 0, 0], 4),
    // Up to the broadcast.
    Block4([240, 0, 0, 0], 4),
    // Public by its number, and Azure's own services to whoever asks from there.
    Block4([168, 63, 129, 16], 32),
];

struct Block6([u16; 8], u32);

const GLOBAL_6: Block6 = Block6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// Of the global ones: for protocols, Teredo among them, documentation, 6to4 and AS112.
const SPECIAL_6: &[Block6] = &[
    Block6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    Block6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    Block6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    Block6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48),
    Block6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

impl Block4 {
    fn holds(&self, address: Ipv4Addr) -> bool {
        let differ = address.to_bits() ^ Ipv4Addr::from(self.0).to_bits();
        differ.leading_zeros() >= self.1
    }
}

impl Block6 {
    fn holds(&self, address: Ipv6Addr) -> bool {
        let differ = address.to_bits() ^ Ipv6Addr::from(self.0).to_bits();
        differ.leading_zeros() >= self.1
    }
}

/// It is on the public internet, as far as its number tells.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_4.iter().any(|block| block.holds(address)),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(inner) => is_public(IpAddr::V4(inner)),
            None => GLOBAL_6.holds(address) && !SPECIAL_6.iter().any(|block| block.holds(address)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn a_block_is_refused_from_its_first_address_to_its_last_and_its_neighbours_are_not() {
        for (before, first, last, after) in [
            ("", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
            ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
            ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
            ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
            ("168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"),
            ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
            ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
            ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
            ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
            ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
            ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
            ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
            ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
            ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
            ("223.255.255.255", "224.0.0.0", "255.255.255.255", ""),
            ("", "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"),
            ("2000:ffff:ffff::", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"),
            ("2001:db7:ffff::", "2001:db8::", "2001:db8:ffff:ffff::", "2001:db9::"),
            ("2001:ffff::", "2002::", "2002:ffff:ffff::", "2003::"),
            ("2620:4f:7fff::", "2620:4f:8000::", "2620:4f:8000:ffff::", "2620:4f:8001::"),
            ("3ffe:ffff::", "3fff::", "3fff:fff:ffff::", "3fff:1000::"),
            ("3fff:ffff:ffff::", "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ] {
            assert!(!public(first) && !public(last), "{first} to {last}");
            for neighbour in [before, after].iter().filter(|text| !text.is_empty()) {
                assert!(public(neighbour), "{neighbour} is beside {first} to {last}");
            }
        }
    }

    #[test]
    fn ways_of_writing_an_inner_address_that_only_a_gateway_would_take_are_no_way_around() {
        for text in [
            "::ffff:127.0.0.1",
            "::ffff:a9fe:a9fe",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::a00:1",
            "2002:7f00:1::",
            "2001:0:7f00:1::",
            "fe80::1",
            "fec0::1",
            "fd00:ec2::254",
            "ff02::1",
            "100::1",
            "5f00::1",
        ] {
            assert!(!public(text), "{text}");
        }
        assert!(public("::ffff:8.8.8.8") && public("2606:4700::1111") && public("8.8.8.8"));
    }

    /// Any, and more of those with special ones beside them than chance would give.
    fn any_4() -> impl Strategy<Value = Ipv4Addr> {
        let first =
            proptest::sample::select(&[0u8, 10, 100, 127, 169, 172, 192, 198, 203, 224, 255][..]);
        let second = prop_oneof![
            proptest::sample::select(&[0u8, 2, 16, 18, 51, 63, 88, 64, 168, 254][..]),
            any::<u8>()
        ];
        prop_oneof![
            any::<u32>().prop_map(Ipv4Addr::from_bits),
            (first, second, any::<u8>(), any::<u8>())
                .prop_map(|(a, b, c, d)| Ipv4Addr::new(a, b, c, d)),
        ]
    }

    proptest! {
        #[test]
        fn what_the_standard_library_calls_special_is_refused(address in any_4()) {
            let special = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_broadcast() || address.is_documentation() || address.is_multicast()
                || address.is_unspecified();
            prop_assert!(!special || !is_public(IpAddr::V4(address)), "{address}");
        }

        #[test]
        fn an_address_is_judged_alike_in_clothes_of_the_other_kind(address in any_4()) {
            let (plain, mapped) =
                (IpAddr::V4(address), IpAddr::V6(address.to_ipv6_mapped()));
            prop_assert_eq!(is_public(plain), is_public(mapped));
            prop_assert!(!is_public(IpAddr::V6(address.to_ipv6_compatible())), "{}", address);
        }

        #[test]
        fn no_special_address_of_the_newer_kind_passes(bits: u128, prefix in 0u128..8) {
            let address = Ipv6Addr::from_bits(bits >> 3 | prefix << 125);
            let special = address.is_loopback() || address.is_unspecified()
                || address.is_multicast() || address.is_unique_local()
                || address.is_unicast_link_local();
            let mapped = address.to_ipv4_mapped().is_some();
            let passes = is_public(IpAddr::V6(address));
            prop_assert!(!special || !passes, "{address}");
            prop_assert!(mapped || prefix == 1 || !passes, "only 2000::/3: {address}");
        }
    }
}
