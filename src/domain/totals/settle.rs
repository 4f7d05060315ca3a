//! From a cart's sums and an order's terms to what it comes to: no line is looked at.

use super::{Summary, TaxLine, Terms, TotalsError, spread};
use crate::domain::{cart_sums::CartSums, ppm::Ppm, tax::TaxMode};

pub(in crate::domain) struct Settled {
    pub(in crate::domain) summary: Summary,
    /// What falls to each group of the sums, in their order.
    pub(super) shares: Vec<Share>,
}

#[derive(Clone, Default)]
pub(super) struct Share {
    pub(super) discount: i64,
    pub(super) tax: i64,
}

/// All that bears one rate in one mode.
struct Taxed {
    rate: Ppm,
    mode: TaxMode,
    /// Who, and with what amount.
    parts: Vec<(Part, i64)>,
}

#[derive(Clone, Copy)]
enum Part {
    Group(usize),
    Shipping,
}

pub(in crate::domain) fn settle(
    sums: &CartSums,
    terms: &Terms<'_>,
) -> Result<Settled, TotalsError> {
    let order = terms.currency;
    for part in sums.groups().iter().map(|group| group.currency) {
        if part != order {
            return Err(TotalsError::OtherCurrency { order, part });
        }
    }
    let shipping = terms.shipping.map(|quote| quote.amount);
    for extra in terms.discount.iter().chain(&shipping) {
        if extra.currency != order {
            return Err(TotalsError::OtherCurrency { order, part: extra.currency });
        }
        if extra.minor < 0 {
            return Err(TotalsError::Negative);
        }
    }
    let shipping = shipping.map_or(0, |amount| amount.minor);
    let subtotal = sums.subtotal(order)?.minor;
    let discount = terms.discount.map_or(0, |off| off.minor).min(subtotal);

    let amounts: Vec<i64> = sums.groups().iter().map(|group| group.amount).collect();
    let mut shares = vec![Share::default(); amounts.len()];
    let mut taxed: Vec<Taxed> = Vec::new();
    for (i, off) in spread(discount, &amounts)?.into_iter().enumerate() {
        let group = &sums.groups()[i];
        shares[i].discount = off;
        put(
            &mut taxed,
            terms.tax.rate(&group.category),
            group.mode,
            Part::Group(i),
            amounts[i] - off,
        );
    }
    if let Some(tax) = terms.shipping.and_then(|quote| quote.tax.as_ref()) {
        put(&mut taxed, terms.tax.rate(&tax.category), tax.mode, Part::Shipping, shipping);
    }
    taxed.sort_by(|a, b| (b.rate, a.mode).cmp(&(a.rate, b.mode)));

    let (mut all_tax, mut tax_on_top, mut shipping_tax) = (0i128, 0i128, 0);
    let mut taxes = Vec::with_capacity(taxed.len());
    for Taxed { rate, mode, parts } in taxed {
        let weights: Vec<i64> = parts.iter().map(|(_, amount)| *amount).collect();
        let amount = fitting(weights.iter().map(|weight| i128::from(*weight)).sum())?;
        let tax = mode.tax(rate, amount);
        all_tax += i128::from(tax);
        let net = match mode {
            TaxMode::Exclusive => {
                tax_on_top += i128::from(tax);
                amount
            }
            TaxMode::Inclusive => amount - tax,
        };
        for ((part, _), share) in parts.iter().zip(spread(tax, &weights)?) {
            match part {
                Part::Group(i) => shares[*i].tax = share,
                Part::Shipping => shipping_tax = share,
            }
        }
        taxes.push(TaxLine { rate, mode, net, tax });
    }
    let total = i128::from(subtotal - discount) + i128::from(shipping) + tax_on_top;
    let summary = Summary {
        currency: order,
        subtotal,
        discount,
        shipping,
        shipping_tax,
        tax: fitting(all_tax)?,
        tax_on_top: fitting(tax_on_top)?,
        total: fitting(total)?,
        taxes,
    };
    Ok(Settled { summary, shares })
}

fn put(taxed: &mut Vec<Taxed>, rate: Ppm, mode: TaxMode, part: Part, amount: i64) {
    match taxed.iter_mut().find(|one| one.rate == rate && one.mode == mode) {
        Some(one) => one.parts.push((part, amount)),
        None => taxed.push(Taxed { rate, mode, parts: vec![(part, amount)] }),
    }
}

fn fitting(sum: i128) -> Result<i64, TotalsError> {
    i64::try_from(sum).map_err(|_| TotalsError::TooLarge)
}
