//! Deep equality and the hash that goes with it.

use std::collections::HashSet;

use crate::error::Fallible;
use crate::interp::whole::to_i32;
use crate::object::map::EntryCursor;
use crate::object::string;
use crate::value::Value;
use crate::vm::Vm;

/// How deep hashing looks into containers. What is deeper does not matter to the hash, so cyclic values have one.
const HASH_DEPTH: usize = 4;
/// How many elements of a container hashing looks at.
const HASH_ELEMENTS: usize = 64;

impl Vm {
    /// Whether two values are equal: lists and maps by their contents. Cyclic values are equal if no difference can be
    /// reached.
    pub fn deep_equal(&mut self, lhs: Value, rhs: Value) -> Fallible<bool> {
        if let Some(equal) = self.shallow_equal(lhs, rhs)? {
            return Ok(equal);
        }
        let mut compared = HashSet::new();
        let mut pending = vec![(lhs, rhs)];
        // The vector's values stay alive: they are parts of the operands, and no script code runs meanwhile.
        let mut steps = 0;
        while let Some((a, b)) = pending.pop() {
            self.poll_at(steps)?;
            steps += 1;
            match self.shallow_equal(a, b)? {
                Some(true) => continue,
                Some(false) => return Ok(false),
                None => {}
            }
            if !compared.insert((a.bits(), b.bits())) {
                continue;
            }
            if let (Some(a), Some(b)) = (a.as_list(), b.as_list()) {
                if a.length() != b.length() {
                    return Ok(false);
                }
                if let (Some(a), Some(b)) = (a.as_numbers(), b.as_numbers()) {
                    if a != b {
                        return Ok(false);
                    }
                    continue;
                }
                pending.extend(
                    a.as_slice()
                        .iter()
                        .copied()
                        .zip(b.as_slice().iter().copied())
                        .rev(),
                );
            } else if let (Some(a), Some(b)) = (a.as_map(), b.as_map()) {
                if self.map_length(a) != self.map_length(b) {
                    return Ok(false);
                }
                let mut cursor = EntryCursor::default();
                while let Some((key, value)) = self.map_next(a, &mut cursor) {
                    match self.map_get(b, key)? {
                        Some(other) => pending.push((value, other)),
                        None => return Ok(false),
                    }
                }
            }
        }
        Ok(true)
    }

    /// Equality as far as it can be told without looking into containers.
    fn shallow_equal(&mut self, a: Value, b: Value) -> Fallible<Option<bool>> {
        if let (Some(a), Some(b)) = (a.as_number(), b.as_number()) {
            return Ok(Some(a == b));
        }
        if a == b {
            return Ok(Some(true));
        }
        if let (Some(a), Some(b)) = (a.as_string(), b.as_string()) {
            return string::equals(self, a, b).map(Some);
        }
        let both_lists = a.as_list().is_some() && b.as_list().is_some();
        let both_maps = a.as_map().is_some() && b.as_map().is_some();
        Ok(if both_lists || both_maps {
            None
        } else {
            Some(false)
        })
    }

    /// Whether two keys are the same key.
    pub fn keys_equal(&mut self, a: Value, b: Value) -> Fallible<bool> {
        self.deep_equal(a, b)
    }

    /// The hash of a key: equal keys have equal hashes.
    #[inline]
    pub fn hash_key(&mut self, key: Value) -> Fallible<u32> {
        if let Some(number) = key.as_number() {
            return Ok(hash_number(number));
        }
        if let Some(string) = key.as_string() {
            return string::hash(self, string);
        }
        self.hash_at(key, HASH_DEPTH)
    }

    #[inline(never)]
    fn hash_at(&mut self, value: Value, depth: usize) -> Fallible<u32> {
        if let Some(number) = value.as_number() {
            return Ok(hash_number(number));
        }
        if let Some(string) = value.as_string() {
            return string::hash(self, string);
        }
        if let Some(list) = value.as_list() {
            let mut hash = mix(0x4C69_7374 ^ list.length() as u64);
            if depth > 0 {
                for index in 0..list.length().min(HASH_ELEMENTS) {
                    let element = list.get(index).unwrap_or(Value::NULL);
                    hash = hash.rotate_left(5) ^ self.hash_at(element, depth - 1)?;
                }
            }
            return Ok(mix(u64::from(hash)));
        }
        if let Some(map) = value.as_map() {
            let length = self.map_length(map);
            let mut hash = mix(0x004D_6170 ^ length as u64);
            // Equal maps may differ in order, so entries are summed up; of a map too large to look at all, none.
            if depth > 0 && length <= HASH_ELEMENTS {
                let mut cursor = EntryCursor::default();
                while let Some((key, value)) = self.map_next(map, &mut cursor) {
                    let entry = u64::from(self.hash_at(key, depth - 1)?) << 32
                        | u64::from(self.hash_at(value, depth - 1)?);
                    hash = hash.wrapping_add(mix(entry));
                }
            }
            return Ok(mix(u64::from(hash)));
        }
        Ok(mix(value.bits()))
    }
}

/// The hash of a number: both zeros are one key.
#[inline(always)]
pub fn hash_number(number: f64) -> u32 {
    if let Some(hash) = hash_of_whole(number) {
        return hash;
    }
    // The two halves of one long product, folded: every bit of the number reaches the lower bits of the hash.
    let product = u128::from(number.to_bits()) * 0x9E37_79B9_7F4A_7C15;
    (product ^ (product >> 64)) as u32
}

/// The hash of a number that is whole and fits 32 bits. Different ones have different hashes: each step can be undone.
#[inline(always)]
pub fn hash_of_whole(number: f64) -> Option<u32> {
    let whole = to_i32(number);
    if f64::from(whole) != number {
        return None;
    }
    let product = (whole as u32).wrapping_mul(0x9E37_79B1);
    Some(product ^ (product >> 15))
}

/// Mixes 64 bits into 32 (the finalizer of MurmurHash3).
#[inline(always)]
fn mix(bits: u64) -> u32 {
    let mut x = bits;
    x = (x ^ (x >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    x = (x ^ (x >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    (x ^ (x >> 33)) as u32
}
