use super::*;
use crate::domain::{
    line::tests::samples::{category, currencies, lines_in, price},
    quantity::{Precision, Quantity},
    tax::TaxAt,
};
use proptest::{collection::vec, prelude::*, sample::Index};

/// What a buyer does to a cart.
#[derive(Debug, Clone)]
enum Edit {
    Add(PricedLine),
    Change(Index, PricedLine),
    Remove(Index),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let line = || currencies().prop_flat_map(lines_in);
    vec(
        prop_oneof![
            3 => line().prop_map(Edit::Add),
            2 => (any::<Index>(), line()).prop_map(|(at, line)| Edit::Change(at, line)),
            2 => any::<Index>().prop_map(Edit::Remove),
        ],
        0..60,
    )
}

fn line(minor: i64, mode: TaxMode) -> PricedLine {
    let price = price(minor, Currency::EUR, mode);
    PricedLine::new(Quantity::STEP, Precision::default(), price, category("standard")).unwrap()
}

#[test]
fn what_would_not_fit_changes_nothing() {
    let most = line(i64::MAX, TaxMode::Exclusive);
    let one = line(1, TaxMode::Exclusive);
    let mut sums = CartSums::of([&most]).unwrap();
    let before = sums.clone();
    assert_eq!(sums.add(&one), Err(SumsError::TooLarge));
    assert_eq!(sums, before);
    let mut sums = CartSums::of([&line(5, TaxMode::Exclusive), &one]).unwrap();
    let before = sums.clone();
    assert_eq!(sums.change(&one, &most), Err(SumsError::TooLarge));
    assert_eq!(sums, before);
}

#[test]
fn a_line_that_was_never_added_is_not_taken_away() {
    let one = line(1, TaxMode::Exclusive);
    let mut sums = CartSums::of([&one]).unwrap();
    let before = sums.clone();
    for other in
        [line(2, TaxMode::Exclusive), line(0, TaxMode::Exclusive), line(1, TaxMode::Inclusive)]
    {
        assert_eq!(sums.remove(&other), Err(SumsError::NeverAdded));
        assert_eq!(sums.change(&other, &one), Err(SumsError::NeverAdded));
        assert_eq!(sums, before);
    }
    assert_eq!(sums.remove(&one), Ok(()));
    assert_eq!(sums, CartSums::default());
    assert_eq!(sums.remove(&one), Err(SumsError::NeverAdded));
}

#[test]
fn five_thousand_lines_are_one_sum() {
    let line = line(199, TaxMode::Inclusive);
    let sums = CartSums::of(std::iter::repeat_n(&line, 5_000)).unwrap();
    assert_eq!((sums.groups.len(), sums.lines()), (1, 5_000));
    let terms = Terms { currency: Currency::EUR, discount: None, shipping: None, tax: TaxAt::NONE };
    assert_eq!(sums.summary(&terms).unwrap().total, 199 * 5_000);
}

proptest! {
    #[test]
    fn edited_sums_are_those_of_the_lines_that_are_left(edits in edits()) {
        let mut sums = CartSums::default();
        let mut lines: Vec<PricedLine> = Vec::new();
        for edit in edits {
            match edit {
                Edit::Add(line) => {
                    sums.add(&line).unwrap();
                    lines.push(line);
                }
                Edit::Change(at, line) if !lines.is_empty() => {
                    let at = at.index(lines.len());
                    sums.change(&lines[at], &line).unwrap();
                    lines[at] = line;
                }
                Edit::Remove(at) if !lines.is_empty() => {
                    let line = lines.swap_remove(at.index(lines.len()));
                    sums.remove(&line).unwrap();
                }
                Edit::Change(..) | Edit::Remove(_) => {}
            }
            prop_assert_eq!(&sums, &CartSums::of(&lines).unwrap());
        }
        prop_assert_eq!(sums.lines(), lines.len() as u64);
        prop_assert_eq!(sums.units().0, lines.iter().map(|line| line.units().0).sum::<i64>());
        for code in ["JPY", "EUR", "KWD", "CLF"] {
            let currency: Currency = code.parse().unwrap();
            let ours = lines.iter().map(PricedLine::amount).filter(|amount| amount.currency == currency);
            prop_assert_eq!(sums.subtotal(currency).unwrap().minor, ours.map(|amount| amount.minor).sum::<i64>());
        }
        let json = serde_json::to_string(&sums).unwrap();
        prop_assert_eq!(serde_json::from_str::<CartSums>(&json).unwrap(), sums);
    }
}
