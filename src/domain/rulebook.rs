//! A shop's commercial rules, ready to be asked: what holds for whom, where and when.
//!
//! Without rules everybody pays products' own prices, no tax is due and sending costs nothing.

use crate::domain::{
    address::Destination,
    country::Country,
    coupon::{Coupon, CouponCode},
    id::PriceListId,
    money::Currency,
    price::{Assignment, Audience, Buyer, PriceList, PriceSet, next_change},
    rule::Rule,
    shipping::{self, Parcel, ShippingMethod, ShippingQuote},
    tax::{TaxAt, TaxError, TaxMode, TaxRules},
    time::Micros,
};
use std::collections::{BTreeSet, HashMap};

#[derive(Debug, Default)]
pub struct Rulebook {
    lists: HashMap<PriceListId, PriceList>,
    /// Which lists an audience has: of many, a buyer's few are found without looking at the rest.
    meant_for: HashMap<Audience, Vec<PriceListId>>,
    tax: TaxRules,
    shipping: Vec<ShippingMethod>,
    coupons: HashMap<CouponCode, Coupon>,
}

/// How goods get somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// The shop has no ways of shipping at all: nothing is chosen, and nothing asked for it.
    NotAsked,
    /// To be chosen from, in the order to show; none: the shop doesn't send this there.
    Choose(Vec<ShippingQuote>),
}

impl Rulebook {
    /// An error: two rules of tax for the same, which a store refuses.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Result<Self, TaxError> {
        let (mut book, mut taxes) = (Self::default(), Vec::new());
        for rule in rules {
            match rule {
                Rule::PriceList(assigned) => {
                    let id = assigned.list.id;
                    for audience in assigned.audiences {
                        book.meant_for.entry(audience).or_default().push(id);
                    }
                    book.lists.insert(id, assigned.list);
                }
                Rule::Tax(rule) => taxes.push(rule),
                Rule::Shipping(method) => book.shipping.push(method),
                Rule::Coupon(coupon) => {
                    book.coupons.insert(coupon.code.clone(), coupon);
                }
            }
        }
        book.tax = TaxRules::new(taxes)?;
        Ok(book)
    }

    pub fn list(&self, id: PriceListId) -> Option<&PriceList> {
        self.lists.get(&id)
    }

    pub fn lists(&self) -> BTreeSet<PriceListId> {
        self.lists.keys().copied().collect()
    }

    /// The lists that count for a buyer, in their order: see [`PriceSet::resolve`].
    pub fn price_set(
        &self,
        buyer: &Buyer,
        currency: Currency,
        base_tax: TaxMode,
        now: Micros,
    ) -> PriceSet {
        let (mut lists, mut assignments) = (Vec::new(), Vec::new());
        for audience in buyer.audiences() {
            for id in self.meant_for.get(&audience).into_iter().flatten() {
                if let Some(list) = self.lists.get(id)
                    && !lists.iter().any(|known: &PriceList| known.id == *id)
                {
                    lists.push(list.clone());
                }
                assignments.push(Assignment { list: *id, audience: audience.clone() });
            }
        }
        PriceSet::resolve(buyer, currency, base_tax, &lists, &assignments, now)
    }

    /// Whether any list counts for a buyer now, in whatever currency.
    pub fn has_lists_for(&self, buyer: &Buyer, now: Micros) -> bool {
        let audiences = buyer.audiences();
        audiences.iter().any(|audience| self.meant_for(audience).any(|list| list.counts_at(now)))
    }

    /// The lists that are meant for these and count now, and until when it is these.
    pub fn lists_of(&self, audience: &Audience, now: Micros) -> (Vec<PriceListId>, Option<Micros>) {
        let counting = self.meant_for(audience).filter(|list| list.counts_at(now));
        let until = self.meant_for(audience).filter_map(|list| list.schedule.next_change(now));
        (counting.map(|list| list.id).collect(), until.min())
    }

    fn meant_for(&self, audience: &Audience) -> impl Iterator<Item = &PriceList> {
        let ids = self.meant_for.get(audience).into_iter().flatten();
        ids.filter_map(|id| self.lists.get(id))
    }

    pub fn tax_at<'a>(&'a self, place: &'a Destination) -> TaxAt<'a> {
        self.tax.at(place)
    }

    pub fn sending(&self, to: Country, parcel: &Parcel) -> Sending {
        match self.shipping.is_empty() {
            true => Sending::NotAsked,
            false => Sending::Choose(shipping::quotes(&self.shipping, to, parcel)),
        }
    }

    pub fn coupon(&self, code: &CouponCode) -> Option<&Coupon> {
        self.coupons.get(code)
    }

    /// When a price list next begins or ends.
    pub fn next_change(&self, now: Micros) -> Option<Micros> {
        next_change(self.lists.values().filter(|list| list.active), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        id::{CustomerGroupId, CustomerId, ShippingMethodId, TaxRuleId},
        money::Money,
        ppm::Ppm,
        quantity::Units,
        rule::AssignedList,
        schedule::Schedule,
        scope::Site,
        shipping::{Destinations, ShippingRate},
        tax::{TaxArea, TaxCategory, TaxRule},
    };
    use proptest::{collection::btree_set, option, prelude::*, sample::select};
    use uuid::Uuid;

    fn buyer() -> Buyer {
        Buyer {
            customer: Some(CustomerId(Uuid::from_u128(1))),
            group: Some(CustomerGroupId(Uuid::from_u128(2))),
            site: Site("main".into()),
        }
    }

    fn audiences() -> Vec<Audience> {
        let customer = |n| Audience::Customer { customer: CustomerId(Uuid::from_u128(n)) };
        let group = |n| Audience::Group { group: CustomerGroupId(Uuid::from_u128(n)) };
        let site = |name: &str| Audience::Site { site: Site(name.into()) };
        vec![customer(1), customer(9), group(2), group(9), site("main"), site("other")]
    }

    prop_compose! {
        fn lists()(
            some in prop::collection::vec(
                (-1i32..2, any::<bool>(), option::of(0i64..20), btree_set(select(audiences()), 0..4)),
                0..6,
            ),
        ) -> Vec<AssignedList> {
            let numbered = some.into_iter().zip(10u128..);
            numbered
                .map(|((priority, active, from, audiences), n)| AssignedList {
                    list: PriceList {
                        id: PriceListId(Uuid::from_u128(n)),
                        name: n.to_string(),
                        currency: Currency::EUR,
                        active,
                        priority,
                        tax: TaxMode::Exclusive,
                        schedule: Schedule { from: from.map(Micros), until: None },
                    },
                    audiences,
                })
                .collect()
        }
    }

    proptest! {
        #[test]
        fn a_buyers_lists_are_found_as_if_all_were_looked_at(lists in lists(), now in 0i64..20) {
            let all: Vec<_> = lists.iter().map(|one| one.list.clone()).collect();
            let assigned: Vec<Assignment> =
                lists.iter().flat_map(AssignedList::assignments).collect();
            let book = Rulebook::new(lists.into_iter().map(Rule::PriceList)).unwrap();
            for buyer in [buyer(), Buyer::guest(Site("main".into()))] {
                let (currency, tax, now) = (Currency::EUR, TaxMode::Inclusive, Micros(now));
                let wanted = PriceSet::resolve(&buyer, currency, tax, &all, &assigned, now);
                if wanted.lists().len() > 0 {
                    prop_assert!(book.has_lists_for(&buyer, now));
                }
                prop_assert_eq!(book.price_set(&buyer, currency, tax, now), wanted);
            }
        }
    }

    #[test]
    fn without_rules_prices_are_products_own_and_nothing_else_is_due() {
        let book = Rulebook::default();
        let set = book.price_set(&buyer(), Currency::EUR, TaxMode::Exclusive, Micros(0));
        assert_eq!(set, PriceSet::base(Currency::EUR, TaxMode::Exclusive));
        assert!(!book.has_lists_for(&buyer(), Micros(0)));
        let germany: Country = "DE".parse().unwrap();
        let somewhere = Destination::somewhere_in(germany);
        assert_eq!(book.tax_at(&somewhere).rate(&TaxCategory::default()), Ppm::ZERO);
        let subtotal = Money { minor: 100, currency: Currency::EUR };
        let parcel = Parcel { subtotal, units: Units::whole(1) };
        assert_eq!(book.sending(germany, &parcel), Sending::NotAsked);
        assert_eq!(book.next_change(Micros(0)), None);
    }

    #[test]
    fn with_rules_they_are_asked() {
        let germany: Country = "DE".parse().unwrap();
        let rate = Ppm::parse_percent("19").unwrap();
        let book = Rulebook::new([
            Rule::Tax(TaxRule {
                id: TaxRuleId(Uuid::nil()),
                name: "VAT".into(),
                category: TaxCategory::default(),
                area: TaxArea::all_of(germany),
                rate,
            }),
            Rule::Shipping(ShippingMethod {
                id: ShippingMethodId(Uuid::nil()),
                name: "Parcel".into(),
                position: 0,
                destinations: Destinations::Countries { countries: [germany].into() },
                currency: Currency::EUR,
                rate: ShippingRate::Flat { amount: 490 },
                free_from: None,
                tax: None,
            }),
        ])
        .unwrap();
        let somewhere = Destination::somewhere_in(germany);
        assert_eq!(book.tax_at(&somewhere).rate(&TaxCategory::default()), rate);
        let subtotal = Money { minor: 100, currency: Currency::EUR };
        let parcel = Parcel { subtotal, units: Units::whole(1) };
        let Sending::Choose(quotes) = book.sending(germany, &parcel) else { panic!("a choice") };
        assert_eq!(quotes.iter().map(|quote| quote.amount.minor).collect::<Vec<_>>(), [490]);
        let elsewhere = book.sending("US".parse().unwrap(), &parcel);
        assert_eq!(elsewhere, Sending::Choose(Vec::new()), "the shop doesn't send there");
    }
}
