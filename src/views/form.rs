//! Which form the stored parts of a document have.

use crate::domain::{
    document::{ProductDocument, VariantRef},
    id::{CategoryId, ProductId},
    money::{Currency, Money},
    product::ProductStatus,
    sku::Sku,
    stock::StockBand,
    tax::TaxCategory,
    time::Micros,
};
use std::{collections::BTreeMap, sync::LazyLock};
use uuid::Uuid;

/// Changes whenever this version would render or write down a product otherwise than the one that
/// made the stored documents: they are built anew then. It is the hash of what a product with
/// every field becomes, so nobody has to remember to raise a number.
pub fn form() -> &'static str {
    static FORM: LazyLock<String> = LazyLock::new(|| {
        let documents = [full(), ProductDocument { price: None, ..full() }];
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for document in &documents {
            let written = serde_json::to_vec(document).unwrap_or_default();
            for bytes in
                [&written[..], &super::product_json(document), &super::product_card(document)]
            {
                for byte in bytes {
                    hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
                }
            }
        }
        format!("{hash:016x}")
    });
    &FORM
}

fn full() -> ProductDocument {
    let text = |text: &str| Some(text.to_owned());
    let pairs = || BTreeMap::from([("Name".to_owned(), "Value <&>".to_owned())]);
    let sku = Sku::try_from("SKU-1".to_owned()).ok();
    let variant = sku.clone().map(|sku| VariantRef {
        sku,
        slug: "variant".into(),
        name: "Variant".into(),
        options: pairs(),
        price: Some(Money { minor: 12_345, currency: Currency::EUR }),
        stock: StockBand::FewLeft,
    });
    let category = crate::domain::category::CategoryRef {
        id: CategoryId(Uuid::from_u128(2)),
        slug: "category".into(),
        name: "Category".into(),
    };
    ProductDocument {
        id: ProductId(Uuid::from_u128(1)),
        sku: sku.unwrap_or_else(|| unreachable!("SKU-1 is a SKU")),
        slug: "slug".into(),
        name: "A \"name\" & more".into(),
        brand: text("Brand"),
        short_description: text("Short"),
        description: text("Long"),
        status: ProductStatus::Active,
        price: Some(Money { minor: 12_345, currency: Currency::USD }),
        tax_category: TaxCategory::default(),
        stock: StockBand::InStock,
        unit: "each".into(),
        precision: 0,
        categories: vec![category],
        images: vec!["/media/one.svg".into(), "https://example.com/two.jpg".into()],
        attributes: pairs(),
        options: pairs(),
        parent: variant.clone(),
        variants: variant.into_iter().collect(),
        popularity: 7,
        created_at: Micros(1),
        updated_at: Micros(2),
    }
}
