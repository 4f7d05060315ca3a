//! The category tree: a forest of named nodes, each with its way from the root.

use crate::domain::id::CategoryId;
use serde::{Deserialize, Serialize};

/// One category in one locale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    pub id: CategoryId,
    pub parent: Option<CategoryId>,
    /// Unique in a site.
    pub slug: String,
    pub name: String,
    pub position: i32,
}

/// Name and address of a category, as product documents and breadcrumbs carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryRef {
    pub id: CategoryId,
    pub slug: String,
    pub name: String,
}

/// All categories of a site and locale, in the order they are shown (position, then name).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryTree {
    nodes: Vec<Category>,
}

impl CategoryTree {
    pub fn new(mut nodes: Vec<Category>) -> Self {
        nodes.sort_by(|a, b| (a.position, &a.name, a.id).cmp(&(b.position, &b.name, b.id)));
        Self { nodes }
    }

    pub fn all(&self) -> &[Category] {
        &self.nodes
    }

    pub fn roots(&self) -> impl Iterator<Item = &Category> {
        self.nodes.iter().filter(|c| c.parent.is_none())
    }

    pub fn children(&self, of: CategoryId) -> impl Iterator<Item = &Category> {
        self.nodes.iter().filter(move |c| c.parent == Some(of))
    }

    pub fn by_slug(&self, slug: &str) -> Option<&Category> {
        self.nodes.iter().find(|c| c.slug == slug)
    }

    pub fn by_id(&self, id: CategoryId) -> Option<&Category> {
        self.nodes.iter().find(|c| c.id == id)
    }

    /// From the root down to `id`, itself included. Empty for an unknown id; a loop in the data
    /// ends the walk rather than the process.
    pub fn path(&self, id: CategoryId) -> Vec<CategoryRef> {
        let mut path = Vec::new();
        let mut next = Some(id);
        while let Some(node) = next.and_then(|id| self.by_id(id)) {
            if path.len() > 32 {
                break;
            }
            path.push(CategoryRef {
                id: node.id,
                slug: node.slug.clone(),
                name: node.name.clone(),
            });
            next = node.parent;
        }
        path.reverse();
        path
    }
}
