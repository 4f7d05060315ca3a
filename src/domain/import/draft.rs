//! From a row's values to a product, with every problem on the way.

mod checks;

use super::{
    Field, Reading, RowError, limits,
    value::{Value, quoted},
};
use crate::domain::{
    money::{Currency, Money},
    product::{ProductDraft, ProductStatus, StockDraft},
    sku::Sku,
    slug,
    tax::TaxCategory,
};
use checks::Rule;
use std::{
    collections::{BTreeMap, HashSet},
    fmt::Display,
};

/// Collects a row's fields in whatever order they come; [`Row::finish`] gives the verdict.
pub(super) struct Row<'r> {
    line: u64,
    reading: &'r Reading,
    problems: Vec<RowError>,
    seen: HashSet<Field>,
    /// Of these something was wrong, so that they aren't called missing as well.
    complained: HashSet<Field>,
    sku: Option<Sku>,
    upc: Option<Sku>,
    name: Option<String>,
    slug: Option<String>,
    brand: Option<String>,
    short_description: Option<String>,
    description: Option<String>,
    status: ProductStatus,
    price: Option<(String, String)>,
    currency: Result<Option<Currency>, ()>,
    tax_category: TaxCategory,
    categories: Vec<String>,
    image: Option<String>,
    images: Vec<String>,
    attributes: BTreeMap<String, String>,
    options: BTreeMap<String, String>,
    unit: Option<String>,
    precision: u8,
    stock: Vec<StockDraft>,
    variant_of: Option<Sku>,
    popularity: i64,
}

impl<'r> Row<'r> {
    pub(super) fn new(line: u64, reading: &'r Reading) -> Self {
        Self {
            line,
            reading,
            problems: Vec::new(),
            seen: HashSet::with_capacity(16),
            complained: HashSet::new(),
            sku: None,
            upc: None,
            name: None,
            slug: None,
            brand: None,
            short_description: None,
            description: None,
            status: ProductStatus::default(),
            price: None,
            currency: Ok(None),
            tax_category: TaxCategory::default(),
            categories: Vec::new(),
            image: None,
            images: Vec::new(),
            attributes: BTreeMap::new(),
            options: BTreeMap::new(),
            unit: None,
            precision: 0,
            stock: Vec::new(),
            variant_of: None,
            popularity: 0,
        }
    }

    /// Takes one field. `called` is what the file calls it, for messages.
    pub(super) fn take(&mut self, field: &Field, called: &str, value: &Value<'_>) {
        let before = self.problems.len();
        if self.seen.insert(field.clone()) {
            self.read(field, called, value);
        } else {
            self.problem(called, "is given twice");
        }
        if self.problems.len() > before {
            self.complained.insert(field.clone());
        }
    }

    fn read(&mut self, field: &Field, called: &str, value: &Value<'_>) {
        match field {
            Field::Sku => self.sku = self.code(called, value),
            Field::Upc => self.upc = self.code(called, value),
            Field::Name => self.name = self.text(called, value, Rule::line(limits::NAME)),
            Field::Slug => self.slug = self.slug(called, value),
            Field::Brand => self.brand = self.text(called, value, Rule::line(limits::BRAND)),
            Field::ShortDescription => {
                self.short_description =
                    self.text(called, value, Rule::lines(limits::SHORT_DESCRIPTION));
            }
            Field::Description => {
                self.description = self.text(called, value, Rule::lines(limits::DESCRIPTION));
            }
            Field::Status => self.status(called, value),
            Field::Price => self.price(called, value),
            Field::Currency => self.currency(called, value),
            Field::TaxCategory => self.tax_category(called, value),
            Field::Categories => self.categories(called, value),
            Field::Image => {
                self.image = self
                    .text(called, value, Rule::line(limits::IMAGE))
                    .and_then(|address| self.address(called, address));
            }
            Field::Images => self.images(called, value),
            Field::Attributes => self.labelled(called, value, Self::attribute),
            Field::Attribute(label) => self.attribute(called, label, value),
            Field::Options => self.labelled(called, value, Self::option),
            Field::Choice(label) => self.option(called, label, value),
            Field::Unit => self.unit = self.text(called, value, Rule::line(limits::UNIT)),
            Field::Precision => {
                if let Some(digits) = self.whole(called, value, 0, limits::PRECISION) {
                    self.precision = u8::try_from(digits).unwrap_or_default();
                }
            }
            Field::Stock => self.stock(called, value),
            Field::StockAt(warehouse) => {
                if let Some(quantity) = self.whole(called, value, 0, limits::QUANTITY) {
                    self.stock_at(called, warehouse.clone(), quantity);
                }
            }
            Field::VariantOf => self.variant_of = self.code(called, value),
            Field::Popularity => {
                self.popularity = self.whole(called, value, i64::MIN, i64::MAX).unwrap_or_default();
            }
        }
    }

    /// Notes something wrong with the field the file calls `called`.
    pub(super) fn problem(&mut self, called: &str, message: impl Display) {
        self.push(Some(called.chars().take(limits::LABEL).collect()), message.to_string());
    }

    fn push(&mut self, field: Option<String>, message: String) {
        if self.problems.len() < limits::PROBLEMS {
            self.problems.push(RowError { line: self.line, field, message, sku: None });
        }
    }

    /// The UPC counts only where there is no SKU; a row that gives both has one for nothing.
    pub(super) fn upc_is_ignored(&self) -> bool {
        self.sku.is_some() && self.upc.is_some()
    }

    /// The product, or everything that is wrong with the row.
    pub(super) fn finish(mut self) -> Result<ProductDraft, Vec<RowError>> {
        let sku = self.sku.take().or(self.upc.take());
        if sku.is_none() && !self.complained(&Field::Sku) && !self.complained(&Field::Upc) {
            let called = self.name_of(&Field::Sku);
            self.push(Some(called), "is missing; a row needs a sku or a upc".into());
        }
        if self.name.is_none() && !self.complained(&Field::Name) {
            let called = self.name_of(&Field::Name);
            self.push(Some(called), "is missing".into());
        }
        if sku.is_some() && self.variant_of == sku {
            let called = self.name_of(&Field::VariantOf);
            self.push(Some(called), "a product can't be a variant of itself".into());
        }
        let price = self.checked_price();
        let count = |n: usize, most: usize, what: &str| {
            (n > most).then(|| format!("has {n} {what}; at most {most} are kept"))
        };
        let mut images: Vec<String> = self.image.take().into_iter().collect();
        for address in std::mem::take(&mut self.images) {
            if !images.contains(&address) {
                images.push(address);
            }
        }
        let crowds = [
            (Field::Images, count(images.len(), limits::IMAGES, "pictures")),
            (Field::Attributes, count(self.attributes.len(), limits::ATTRIBUTES, "attributes")),
            (Field::Options, count(self.options.len(), limits::OPTIONS, "options")),
            (Field::Stock, count(self.stock.len(), limits::WAREHOUSES, "warehouses")),
        ];
        for (field, crowd) in crowds {
            if let Some(message) = crowd {
                let called = self.name_of(&field);
                self.push(Some(called), message);
            }
        }
        match (sku, self.name) {
            (Some(sku), Some(name)) if self.problems.is_empty() => Ok(ProductDraft {
                sku,
                name,
                slug: self.slug,
                brand: self.brand,
                short_description: self.short_description,
                description: self.description,
                status: self.status,
                price,
                tax_category: self.tax_category,
                categories: self.categories,
                images,
                attributes: self.attributes,
                unit: self.unit.unwrap_or_else(|| "each".into()),
                precision: self.precision,
                stock: (!self.stock.is_empty()).then_some(self.stock),
                variant_of: self.variant_of,
                options: self.options,
                popularity: self.popularity,
            }),
            (sku, _) => {
                let sku = sku.map(String::from);
                for problem in &mut self.problems {
                    problem.sku.clone_from(&sku);
                }
                Err(self.problems)
            }
        }
    }

    /// What the file calls a field, for problems with fields that aren't there.
    fn name_of(&self, field: &Field) -> String {
        let mapped = self.reading.columns.mapped().find(|(_, mapped)| *mapped == field);
        mapped.map_or_else(|| field.to_string(), |(column, _)| column.to_owned())
    }

    fn complained(&self, field: &Field) -> bool {
        self.complained.contains(field)
    }

    fn slug(&mut self, called: &str, value: &Value<'_>) -> Option<String> {
        let text = self.text(called, value, Rule::line(slug::MOST_GIVEN))?;
        if slug::is_one(&text) {
            return Some(text);
        }
        self.problem(
            called,
            format_args!(
                "expected lower-case letters, digits and single hyphens, such as \"spanner-13-mm\", \
                 found {}",
                quoted(&text)
            ),
        );
        None
    }

    fn status(&mut self, called: &str, value: &Value<'_>) {
        let Some(text) = self.text(called, value, Rule::line(limits::LABEL)) else { return };
        match ProductStatus::parse(&text) {
            Some(status) => self.status = status,
            None => self.problem(
                called,
                format_args!("expected \"active\" or \"disabled\", found {}", quoted(&text)),
            ),
        }
    }

    fn price(&mut self, called: &str, value: &Value<'_>) {
        let digits = match value {
            Value::Nothing => return,
            Value::Text(text) if text.trim().is_empty() => return,
            Value::Number(digits) => (*digits).to_owned(),
            Value::Text(text) => text.trim().to_owned(),
            other => {
                let found = other.found();
                return self.problem(called, format_args!("expected a price, found {found}"));
            }
        };
        // Its currency may come later in the row.
        self.price = Some((called.to_owned(), digits));
    }

    fn currency(&mut self, called: &str, value: &Value<'_>) {
        let before = self.problems.len();
        let text = self.text(called, value, Rule::line(limits::LABEL));
        self.currency = match text.map(|text| text.parse::<Currency>()) {
            None if self.problems.len() > before => Err(()),
            None => Ok(None),
            Some(Ok(currency)) => Ok(Some(currency)),
            Some(Err(error)) => {
                self.problem(called, error);
                Err(())
            }
        };
    }

    fn tax_category(&mut self, called: &str, value: &Value<'_>) {
        let Some(text) = self.text(called, value, Rule::line(limits::LABEL)) else { return };
        match TaxCategory::new(&text) {
            Ok(category) => self.tax_category = category,
            Err(error) => {
                self.problem(called, format_args!("{error}, found {}", quoted(&text)));
            }
        }
    }

    fn checked_price(&mut self) -> Option<Money> {
        let (called, digits) = self.price.take()?;
        // Without a currency nothing can be said of the digits; that problem is noted already.
        let currency = self.currency.ok()?.unwrap_or(self.reading.currency);
        match Money::parse_price(&digits, currency) {
            Ok(price) => Some(price),
            Err(error) => {
                self.problem(&called, format_args!("{error}, found {}", quoted(&digits)));
                None
            }
        }
    }

    fn categories(&mut self, called: &str, value: &Value<'_>) {
        let names: Vec<String> = match value {
            Value::Text(path) => path.split('>').map(str::to_owned).collect(),
            other => self.texts(called, other, "a list of names or \"A > B > C\""),
        };
        for name in &names {
            if let Some(name) = self.checked(called, name, Rule::line(limits::CATEGORY)) {
                self.categories.push(name);
            }
        }
        let levels = self.categories.len();
        if levels > limits::CATEGORIES {
            self.problem(
                called,
                format_args!("has {levels} levels; at most {} are kept", limits::CATEGORIES),
            );
        }
    }

    fn images(&mut self, called: &str, value: &Value<'_>) {
        let addresses: Vec<String> = match value {
            Value::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
            other => self.texts(called, other, "a list of addresses"),
        };
        for address in addresses {
            let checked = self.checked(called, &address, Rule::line(limits::IMAGE));
            if let Some(address) = checked.and_then(|address| self.address(called, address)) {
                self.images.push(address);
            }
        }
    }

    fn labelled(
        &mut self,
        called: &str,
        value: &Value<'_>,
        take: fn(&mut Self, &str, &str, &Value<'_>),
    ) {
        match value {
            Value::Nothing => {}
            Value::Object(json) => {
                for (label, value) in self.entries(called, json).0 {
                    take(self, &format!("{called}.{label}"), &label, &Value::of(value));
                }
            }
            other => {
                let found = other.found();
                self.problem(
                    called,
                    format_args!("expected an object of names and values, found {found}"),
                );
            }
        }
    }

    fn attribute(&mut self, called: &str, label: &str, value: &Value<'_>) {
        if let Some((label, worth)) = self.pair(called, label, value)
            && self.attributes.insert(label, worth).is_some()
        {
            self.problem(called, "is given twice");
        }
    }

    fn option(&mut self, called: &str, label: &str, value: &Value<'_>) {
        if let Some((label, worth)) = self.pair(called, label, value)
            && self.options.insert(label, worth).is_some()
        {
            self.problem(called, "is given twice");
        }
    }

    fn stock(&mut self, called: &str, value: &Value<'_>) {
        let Value::List(json) = value else {
            if let Some(quantity) = self.whole(called, value, 0, limits::QUANTITY) {
                self.stock_at(called, "main".into(), quantity);
            }
            return;
        };
        let items = self.items(called, json);
        if items.is_empty() {
            self.problem(called, "is an empty list; leave it out, or say 0");
        }
        for item in items {
            let Value::Object(json) = Value::of(item) else {
                let found = Value::of(item).found();
                self.problem(
                    called,
                    format_args!("expected {{\"warehouse\": …, \"quantity\": …}}, found {found}"),
                );
                continue;
            };
            let (mut warehouse, mut quantity) = (None, None);
            for (key, value) in self.entries(called, json).0 {
                let value = Value::of(value);
                match key.as_ref() {
                    "warehouse" => {
                        warehouse = self.text(called, &value, Rule::line(limits::WAREHOUSE));
                    }
                    "quantity" => {
                        quantity = self.whole(called, &value, 0, limits::QUANTITY);
                    }
                    other => self.problem(
                        called,
                        format_args!("has {} beside warehouse and quantity", quoted(other)),
                    ),
                }
            }
            match quantity {
                Some(quantity) => {
                    self.stock_at(called, warehouse.unwrap_or_else(|| "main".into()), quantity);
                }
                None => self.problem(called, "lacks the quantity of a warehouse"),
            }
        }
    }

    fn stock_at(&mut self, called: &str, warehouse: String, quantity: i64) {
        let Some(warehouse) = self.checked(called, &warehouse, Rule::line(limits::WAREHOUSE))
        else {
            return;
        };
        if self.stock.iter().any(|known| known.warehouse == warehouse) {
            let warehouse = quoted(&warehouse);
            return self.problem(called, format_args!("names the warehouse {warehouse} twice"));
        }
        self.stock.push(StockDraft { warehouse, quantity });
    }
}
