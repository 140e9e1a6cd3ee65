//! Dense numbers for the parts of a function, each with a type of its own, and vectors indexed by them.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// A number that stands for one part of a function or one thing of a compile job.
pub trait Entity: Copy + Eq {
    /// The entity with this number.
    fn from_index(index: usize) -> Self;
    /// Its number.
    fn index(self) -> usize;
}

/// Defines entities: a type around `u32`, displayed as the prefix and the number.
macro_rules! define_entities {
    ($($(#[$doc:meta])+ $name:ident $prefix:literal;)*) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $crate::entity::Entity for $name {
            fn from_index(index: usize) -> Self {
                $name(index as u32)
            }
            fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    )*};
}
pub(crate) use define_entities;

/// A vector indexed by an entity.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityVec<K, T> {
    items: Vec<T>,
    key: PhantomData<K>,
}

impl<K, T> Default for EntityVec<K, T> {
    fn default() -> Self {
        EntityVec {
            items: Vec::new(),
            key: PhantomData,
        }
    }
}

impl<K: Entity, T> EntityVec<K, T> {
    /// A vector with `item` for each of the first `count` entities.
    pub fn filled(item: T, count: usize) -> Self
    where
        T: Clone,
    {
        EntityVec {
            items: vec![item; count],
            key: PhantomData,
        }
    }

    /// Adds an item; the result is the entity that stands for it.
    pub fn push(&mut self, item: T) -> K {
        self.items.push(item);
        K::from_index(self.items.len() - 1)
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The item of `key`, if there is one.
    pub fn get(&self, key: K) -> Option<&T> {
        self.items.get(key.index())
    }

    /// All entities in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = K> + use<K, T> {
        (0..self.items.len()).map(K::from_index)
    }

    /// All items in order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.items.iter()
    }

    /// All items in order, to be changed.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut T> {
        self.items.iter_mut()
    }

    /// All entities with their items.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &T)> {
        self.items
            .iter()
            .enumerate()
            .map(|(index, item)| (K::from_index(index), item))
    }
}

impl<K: Entity, T: Clone> EntityVec<K, T> {
    /// Makes room for `key` by adding copies of `filler`; then the item of `key`.
    pub fn entry(&mut self, key: K, filler: T) -> &mut T {
        if self.items.len() <= key.index() {
            self.items.resize(key.index() + 1, filler);
        }
        &mut self.items[key.index()]
    }
}

impl<K: Entity, T> From<Vec<T>> for EntityVec<K, T> {
    fn from(items: Vec<T>) -> Self {
        EntityVec {
            items,
            key: PhantomData,
        }
    }
}

impl<K: Entity, T> Index<K> for EntityVec<K, T> {
    type Output = T;
    fn index(&self, key: K) -> &T {
        &self.items[key.index()]
    }
}

impl<K: Entity, T> IndexMut<K> for EntityVec<K, T> {
    fn index_mut(&mut self, key: K) -> &mut T {
        &mut self.items[key.index()]
    }
}
