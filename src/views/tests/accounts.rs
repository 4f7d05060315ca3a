//! Pages on which people come in, and those of somebody who has.

use super::shop::{HOSTILE, shell};
use crate::domain::{
    account::SavedAddress,
    address::AddressDraft,
    id::{AddressId, CustomerId, SessionId},
    session::{Session, Via, Who},
    time::Micros,
};
use crate::views::{
    AccountFrame, AccountHomePage, AddressCard, AddressForm, Filled, Profile, SessionCard,
    account_home, address, addresses, details, forgotten, leave, log_in, register, reset, sessions,
    set_up,
};
use bytes::Bytes;
use uuid::Uuid;

fn filled(names: &[&'static str], wrong: &[&str]) -> Filled {
    let error = |name: &&str| ((*name).to_owned(), format!("{HOSTILE} is wrong."));
    Filled {
        values: names.iter().map(|name| (*name, HOSTILE.to_owned())).collect(),
        errors: wrong.iter().map(error).collect(),
    }
}

fn saved(id: u128, default: bool) -> SavedAddress {
    let draft = AddressDraft {
        name: HOSTILE.into(),
        company: HOSTILE.into(),
        street: HOSTILE.into(),
        postcode: "10115".into(),
        city: "Berlin".into(),
        country: "DE".into(),
        ..AddressDraft::default()
    };
    SavedAddress {
        id: AddressId(Uuid::from_u128(id)),
        customer: CustomerId(Uuid::nil()),
        address: draft.check().unwrap(),
        default_shipping: default,
        default_billing: default,
        created_at: Micros(0),
        updated_at: Micros(0),
    }
}

fn session(id: u128, via: Via) -> Session {
    Session {
        id: SessionId(Uuid::from_u128(id)),
        who: Who::Guest,
        via,
        opened_at: Micros(1_700_000_000_000_000),
        seen_at: Micros(1_700_000_060_000_000),
        ends_at: Micros(0),
        label: HOSTILE.into(),
        address: HOSTILE.into(),
    }
}

/// Every page of accounts, by a name.
pub(super) fn every_page() -> Vec<(String, Bytes)> {
    let shell = shell();
    let frame = |signed_in, done| AccountFrame {
        shell: &shell,
        offset: 42,
        form_token: "token",
        cart_lines: 3,
        signed_in,
        done,
    };
    let (out, own) = (frame(false, Some(HOSTILE)), frame(true, Some(HOSTILE)));
    let (none, everything) = (
        Filled::default(),
        filled(
            &["name", "email", "company", "tax_number", "street", "city", "country"],
            &["name", "email", "password", "present_password", "country", ""],
        ),
    );
    let profile =
        |of_customer| Profile { of_customer, is_company: of_customer, is_buyer: of_customer };
    let home = AccountHomePage {
        name: HOSTILE,
        email: Some(HOSTILE),
        acts_for: Some(HOSTILE),
        is_buyer: true,
    };
    let cards = [AddressCard::of(&saved(1, true)), AddressCard::of(&saved(2, false))];
    let rows = [
        SessionCard::of(&session(1, Via::Cookie), true),
        SessionCard::of(&session(2, Via::Key), false),
    ];
    let (new, known) = (AddressForm { id: None }, AddressForm { id: Some("1") });
    let pages = [
        ("login", log_in(&out, &none, "/cart?a=b&c=\"d\"")),
        ("login that failed", log_in(&out, &everything, "")),
        ("registration", register(&out, &none, "")),
        ("registration that failed", register(&out, &everything, "/cart")),
        ("forgotten", forgotten(&out, &none)),
        ("reset", reset(&out, &everything, Some("token"))),
        ("reset too late", reset(&out, &none, None)),
        ("setup", set_up(&out, &everything, Some(HOSTILE))),
        ("setup too late", set_up(&out, &none, None)),
        ("account", account_home(&own, &home)),
        ("details", details(&own, &none, &profile(true))),
        ("details that failed", details(&own, &everything, &profile(true))),
        ("details of staff", details(&own, &none, &profile(false))),
        ("farewell", leave(&own, &everything)),
        ("addresses", addresses(&own, &cards, true)),
        ("no addresses", addresses(&own, &[], true)),
        ("addresses to look at", addresses(&own, &cards, false)),
        ("new address", address(&own, &none, &new)),
        ("address that failed", address(&own, &everything, &known)),
        ("sessions", sessions(&own, &rows)),
        ("one session", sessions(&own, &rows[..1])),
    ];
    pages.map(|(name, page)| (name.to_owned(), page)).into()
}

fn page(name: &str) -> String {
    let found = every_page().into_iter().find(|(known, _)| known == name).unwrap();
    String::from_utf8(found.1.to_vec()).unwrap()
}

#[test]
fn what_is_wrong_leads_to_its_field_and_no_password_is_sent_back() {
    let failed = page("registration that failed");
    for said in [
        "<a href=\"#register-email\">",
        "aria-invalid=\"true\" aria-describedby=\"register-email-error\"",
        "aria-describedby=\"register-password-help register-password-error\"",
        "type=\"password\" value=\"\"",
        "name=\"next\" value=\"/cart\"",
        "href=\"/login?next=/cart\"",
    ] {
        assert!(failed.contains(said), "{said} in {failed}");
    }
    assert!(!failed.contains("#register-tax_number"));
    assert!(page("login").contains("href=\"/register?next=/cart%3Fa%3Db%26c%3D%22d%22\""));
    assert!(!page("login").contains("role=\"alert\""));
    assert!(page("reset too late").contains("href=\"/forgot\""));
}

#[test]
fn the_header_says_whether_somebody_is_signed_in() {
    assert!(page("login").contains("data-account=\"false\">"));
    assert!(page("login").contains("data-account-word>Sign in</span>"));
    assert!(page("account").contains("data-account=\"true\">"));
    assert!(page("account").contains("data-account-word>Account</span>"));
    assert!(page("account").contains("data-cart-count>3</span>"), "the count needs no script");
}

#[test]
fn the_present_browser_is_told_from_others() {
    let sessions = page("sessions");
    assert_eq!(sessions.matches("This browser").count(), 1);
    assert!(sessions.contains("2023-11-14 22:13 UTC"), "{sessions}");
    assert!(sessions.contains("Sign out everywhere else"));
    assert!(!page("one session").contains("Sign out everywhere else"));
    assert!(!page("addresses to look at").contains("Edit"));
}
