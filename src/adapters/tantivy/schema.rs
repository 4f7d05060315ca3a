//! What is kept of a product: words with weights, columns to filter and sort by, texts to
//! highlight.

use super::words::{Analyzer, LONGEST_WORD, Weighted, push_weighted, starts};
use crate::domain::{document::ProductDocument, id::ProductId, scope::Scope};
use std::collections::HashMap;
use tantivy::{
    Index, IndexSettings, TantivyDocument, Term,
    schema::{
        BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing,
        TextOptions,
    },
};

/// Part of every commit's payload. Raise it whenever what is written here changes: an index of
/// another version is not read but rebuilt.
pub(super) const VERSION: u32 = 1;

/// How much of a description is kept for highlights, in characters.
const KEPT_DESCRIPTION: usize = 4_000;
/// How much of a name counts for its sort key, in characters.
const SORTED_NAME: usize = 80;

/// Where a word was found, as the weight of its posting; a word in two places has the higher one.
pub(super) mod weight {
    pub(crate) const DESCRIPTION: u8 = 1;
    /// Categories, attributes and options.
    pub(crate) const ATTRIBUTE: u8 = 2;
    pub(crate) const BRAND: u8 = 3;
    pub(crate) const NAME: u8 = 4;
    pub(crate) const SKU: u8 = 5;
}

#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) schema: Schema,
    /// Scope and id: a product is replaced and deleted by it.
    key: Field,
    pub(super) words: Field,
    /// The first characters of the words that may be found by their beginning.
    pub(super) starts: Field,
    scope: Field,
    id_high: Field,
    id_low: Field,
    /// The ids of the category and all above it, root first, 16 bytes each.
    path: Field,
    brand: Field,
    price: Field,
    in_stock: Field,
    popularity: Field,
    created: Field,
    name_key: Field,
    name_words: Field,
    pub(super) name: Field,
    pub(super) description: Field,
}

/// Names of the columns, for [`super::rows`].
pub(super) mod column {
    pub(crate) const SCOPE: &str = "scope";
    pub(crate) const ID_HIGH: &str = "id_high";
    pub(crate) const ID_LOW: &str = "id_low";
    pub(crate) const PATH: &str = "path";
    pub(crate) const BRAND: &str = "brand";
    pub(crate) const PRICE: &str = "price";
    pub(crate) const IN_STOCK: &str = "in_stock";
    pub(crate) const POPULARITY: &str = "popularity";
    pub(crate) const CREATED: &str = "created";
    pub(crate) const NAME_KEY: &str = "name_key";
    pub(crate) const NAME_WORDS: &str = "name_words";
}

impl Fields {
    pub(super) fn new() -> Self {
        let mut schema = Schema::builder();
        // No field norms: weights say where a word is, and how long a description is says nothing.
        let weighted = TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer(Weighted::NAME)
                .set_index_option(IndexRecordOption::WithFreqs)
                .set_fieldnorms(false),
        );
        let text_column = TextOptions::default().set_fast("raw");
        let bytes_column = BytesOptions::default().set_fast();
        let number = NumericOptions::default().set_fast();
        let stored = TextOptions::default().set_stored();
        Self {
            key: schema.add_bytes_field("key", BytesOptions::default().set_indexed()),
            words: schema.add_text_field("words", weighted.clone()),
            starts: schema.add_text_field("starts", weighted),
            scope: schema.add_text_field(column::SCOPE, text_column.clone()),
            id_high: schema.add_u64_field(column::ID_HIGH, number.clone()),
            id_low: schema.add_u64_field(column::ID_LOW, number.clone()),
            path: schema.add_bytes_field(column::PATH, bytes_column),
            brand: schema.add_text_field(column::BRAND, text_column.clone()),
            price: schema.add_i64_field(column::PRICE, number.clone()),
            in_stock: schema.add_bool_field(column::IN_STOCK, number.clone()),
            popularity: schema.add_i64_field(column::POPULARITY, number.clone()),
            created: schema.add_i64_field(column::CREATED, number.clone()),
            name_key: schema.add_text_field(column::NAME_KEY, text_column),
            name_words: schema.add_u64_field(column::NAME_WORDS, number),
            name: schema.add_text_field("name", stored.clone()),
            description: schema.add_text_field("description", stored),
            schema: schema.build(),
        }
    }

    /// The term that stands for one product in one scope.
    pub(super) fn key(&self, scope: &Scope, id: ProductId) -> Term {
        let mut key = scope_key(scope).into_bytes();
        key.extend_from_slice(id.0.as_bytes());
        Term::from_field_bytes(self.key, &key)
    }
}

pub(super) fn scope_key(scope: &Scope) -> String {
    format!("{}\n{}\n", scope.site.0, scope.locale.0)
}

/// Small blocks in the document store: a page of hits reads two dozen scattered documents.
pub(super) fn settings() -> IndexSettings {
    IndexSettings {
        docstore_blocksize: 4_096,
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    }
}

pub(super) fn register_tokenizer(index: &Index) {
    index.tokenizers().register(Weighted::NAME, Weighted::default());
}

/// Makes index documents of product documents; keeps its buffers between them.
pub(super) struct Composer {
    fields: Fields,
    analyzer: Analyzer,
    weights: HashMap<String, u8>,
    start_weights: HashMap<String, u8>,
}

impl Composer {
    pub(super) fn new(fields: Fields) -> Self {
        Self {
            fields,
            analyzer: Analyzer::new(),
            weights: HashMap::new(),
            start_weights: HashMap::new(),
        }
    }

    pub(super) fn compose(&mut self, scope: &Scope, product: &ProductDocument) -> TantivyDocument {
        let mut document = TantivyDocument::with_capacity(2_048);
        let fields = self.fields.clone();
        let (words, starts) = self.weigh(product);
        document.add_text(fields.words, words);
        document.add_text(fields.starts, starts);

        let mut key = scope_key(scope).into_bytes();
        key.extend_from_slice(product.id.0.as_bytes());
        document.add_bytes(fields.key, &key);
        document.add_text(fields.scope, scope_key(scope));
        let (high, low) = product.id.0.as_u64_pair();
        document.add_u64(fields.id_high, high);
        document.add_u64(fields.id_low, low);
        if !product.categories.is_empty() {
            let path: Vec<u8> =
                product.categories.iter().flat_map(|c| *c.id.0.as_bytes()).collect();
            document.add_bytes(fields.path, &path);
        }
        if let Some(brand) = &product.brand {
            document.add_text(fields.brand, brand);
        }
        if let Some(price) = &product.price {
            document.add_i64(fields.price, price.minor);
        }
        document.add_bool(fields.in_stock, product.stock.can_be_bought());
        document.add_i64(fields.popularity, product.popularity);
        document.add_i64(fields.created, product.created_at.0);

        let mut name_key = String::new();
        let mut name_words = 0;
        self.analyzer.words(&product.name, |_, word| {
            name_words += 1;
            if name_key.len() < SORTED_NAME {
                name_key.push_str(word);
                name_key.push(' ');
            }
        });
        document.add_text(fields.name_key, name_key.trim_end());
        document.add_u64(fields.name_words, name_words);
        document.add_text(fields.name, &product.name);
        if let Some(text) = product.description.as_ref().or(product.short_description.as_ref()) {
            document.add_text(fields.description, cut(text, KEPT_DESCRIPTION));
        }
        document
    }

    /// The texts of `words` and `starts`.
    fn weigh(&mut self, product: &ProductDocument) -> (String, String) {
        self.weights.clear();
        self.start_weights.clear();
        let mut add = |text: &str, weight: u8| {
            let weights = &mut self.weights;
            self.analyzer.words_and_joined(text, |word| note(weights, word, weight));
        };
        for text in [&product.short_description, &product.description].into_iter().flatten() {
            add(text, weight::DESCRIPTION);
        }
        for category in &product.categories {
            add(&category.name, weight::ATTRIBUTE);
        }
        for value in product.attributes.values().chain(product.options.values()) {
            add(value, weight::ATTRIBUTE);
        }
        if let Some(brand) = &product.brand {
            add(brand, weight::BRAND);
        }
        add(&product.name, weight::NAME);
        add(product.sku.as_str(), weight::SKU);

        let mut words = String::with_capacity(self.weights.len() * 9);
        for (word, weight) in &self.weights {
            push_weighted(&mut words, word, *weight);
            if *weight > weight::DESCRIPTION {
                for start in starts(word) {
                    note(&mut self.start_weights, start, *weight);
                }
            }
        }
        let mut beginnings = String::with_capacity(self.start_weights.len() * 5);
        for (start, weight) in &self.start_weights {
            push_weighted(&mut beginnings, start, *weight);
        }
        (words, beginnings)
    }
}

fn note(weights: &mut HashMap<String, u8>, word: &str, weight: u8) {
    debug_assert!(word.len() <= LONGEST_WORD);
    match weights.get_mut(word) {
        Some(known) => *known = weight.max(*known),
        None => {
            weights.insert(word.to_owned(), weight);
        }
    }
}

/// The first `most` characters.
pub(super) fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(at, _)| &text[..at])
}
