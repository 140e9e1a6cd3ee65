//! Strings against the standard library's, and what their operations cost.

use std::alloc::Layout;
use std::cmp::Ordering;

use super::cell::{Extent, LINK_BYTES};
use super::*;
use crate::error::{Ending, Fallible, RuntimeError};
use crate::heap::{Gc, Header, Kind};
use crate::object::allocator::Allocator;

/// A heap without a collector, which counts what it hands out.
#[derive(Default)]
struct TestHeap {
    cells: Vec<(*mut u8, Layout)>,
    bytes: usize,
    strings: Strings,
}

impl Allocator for TestHeap {
    fn allocate(&mut self, kind: Kind, bytes: usize) -> Fallible<Gc<Header>> {
        let layout = Layout::from_size_align(bytes, 16).unwrap();
        self.bytes += bytes;
        // SAFETY: a cell has at least a header's size, so there is room for one. What follows is
        // filled with a pattern that makes a forgotten field conspicuous.
        unsafe {
            let memory = std::alloc::alloc(layout);
            memory.write_bytes(0xA5, bytes);
            memory.cast::<Header>().write(Header::new(kind));
            self.cells.push((memory, layout));
            Ok(Gc::from_address(memory as usize))
        }
    }

    fn write_barrier(&mut self, _owner: &Header) {}

    fn write_barrier_at(&mut self, _owner: &Header, _place: *const crate::Value) {}

    fn abandon(&mut self, _row: Gc<Header>) {}

    fn strings(&mut self) -> &mut Strings {
        &mut self.strings
    }
}

impl Drop for TestHeap {
    fn drop(&mut self) {
        for (memory, layout) in &self.cells {
            // SAFETY: the cell was allocated with this layout.
            unsafe { std::alloc::dealloc(*memory, *layout) };
        }
    }
}

impl TestHeap {
    fn string(&mut self, text: &str) -> Gc<StringCell> {
        new_string(self, text).unwrap()
    }

    fn concat(&mut self, left: Gc<StringCell>, right: Gc<StringCell>) -> Gc<StringCell> {
        concat(self, left, right).unwrap()
    }

    #[track_caller]
    fn check(&mut self, string: Gc<StringCell>, expected: &str) {
        assert_eq!(string.length(), expected.chars().count());
        assert_eq!(string.byte_length(), expected.len());
        assert_eq!(string.is_ascii(), expected.is_ascii());
        assert!(
            string.flat_str(self).unwrap() == expected,
            "contents differ"
        );
    }
}

fn is_too_large<T>(result: Fallible<T>) -> bool {
    match result.map_err(|throw| throw.into_ending()) {
        Err(Ending::Error(error)) => error == RuntimeError::StringTooLarge,
        _ => false,
    }
}

/// The code points from `from` up to and without `to`.
fn piece(text: &str, from: usize, to: usize) -> String {
    text.chars()
        .skip(from)
        .take(to.saturating_sub(from))
        .collect()
}

/// Where the needle occurs, in code points.
fn position(text: &str, needle: &str, from: usize) -> Option<usize> {
    let start = text
        .char_indices()
        .map(|(offset, _)| offset)
        .chain([text.len()])
        .nth(from)?;
    text[start..]
        .find(needle)
        .map(|offset| text[..start + offset].chars().count())
}

fn random_text(random: &mut fastrand::Rng) -> String {
    let alphabet: &[char] = match random.u8(..4) {
        0 => &['a', 'b', 'é', '漢', '😀'],
        1 => &['a', 'é'],
        _ => &['a', 'b', 'c'],
    };
    let length = if random.bool() {
        random.usize(..8)
    } else {
        random.usize(..200)
    };
    (0..length)
        .map(|_| alphabet[random.usize(..alphabet.len())])
        .collect()
}

#[test]
fn any_sequence_of_operations_agrees_with_the_standard_library() {
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut heap = TestHeap::default();
        let mut pool: Vec<(Gc<StringCell>, String)> = Vec::new();
        for _ in 0..8 {
            let text = random_text(&mut random);
            pool.push((heap.string(&text), text));
        }
        for _ in 0..200 {
            let (a, a_text) = pool[random.usize(..pool.len())].clone();
            let (b, b_text) = pool[random.usize(..pool.len())].clone();
            let from = random.usize(..a_text.chars().count() + 3);
            let made = match random.u8(..9) {
                0..4 if a_text.len() + b_text.len() < 20_000 => {
                    (heap.concat(a, b), format!("{a_text}{b_text}"))
                }
                4 => {
                    let to = from + random.usize(..a_text.chars().count() + 3);
                    (
                        substring(&mut heap, a, from, to).unwrap(),
                        piece(&a_text, from, to),
                    )
                }
                5 => {
                    let expected = a_text.chars().nth(from);
                    assert_eq!(code_point_at(&mut heap, a, from).unwrap(), expected);
                    let character = char_at(&mut heap, a, from).unwrap();
                    assert_eq!(character.is_some(), expected.is_some());
                    match (character, expected) {
                        (Some(cell), Some(character)) => (cell, character.to_string()),
                        _ => continue,
                    }
                }
                6 => {
                    let end = (from + random.usize(..5)).min(a_text.chars().count());
                    let needle = piece(&a_text, from, end);
                    let cell = heap.string(&needle);
                    let start = random.usize(..from + 1);
                    let found = find(&mut heap, a, cell, start).unwrap();
                    assert_eq!(found, position(&a_text, &needle, start));
                    let found = find(&mut heap, a, b, 0).unwrap();
                    assert_eq!(found, position(&a_text, &b_text, 0));
                    continue;
                }
                7 => {
                    assert_eq!(equals(&mut heap, a, b).unwrap(), a_text == b_text);
                    assert_eq!(compare(&mut heap, a, b).unwrap(), a_text.cmp(&b_text));
                    assert_eq!(hash(&mut heap, a).unwrap(), hash_of(&a_text));
                    continue;
                }
                _ => {
                    let cell = intern_cell(&mut heap, a).unwrap();
                    assert!(cell.is_interned());
                    assert_eq!(intern(&mut heap, &a_text).unwrap(), cell);
                    (cell, a_text)
                }
            };
            if random.u8(..4) == 0 {
                heap.check(made.0, &made.1);
            }
            pool.push(made);
        }
        for (cell, text) in pool {
            heap.check(cell, &text);
        }
    }
}

#[test]
fn a_flat_string_has_its_text_at_hand_and_a_rope_does_not() {
    let mut heap = TestHeap::default();
    let half = heap.string(&"x".repeat(40));
    let short = heap.string("ab");
    let joined = heap.concat(short, short);
    assert_eq!(joined.if_flat(), Some("abab"));
    let rope = heap.concat(half, half);
    assert_eq!(rope.length(), 80);
    assert_eq!(rope.if_flat(), None);
    rope.flat_str(&mut heap).unwrap();
    assert_eq!(rope.if_flat(), Some(&*"x".repeat(80)));
}

/// A rope of `count` parts of which each is `x` or `é`, hung together as `nest` says: whether the
/// rope so far goes to the left.
fn deep_rope(
    heap: &mut TestHeap,
    count: usize,
    nest: impl Fn(usize) -> bool,
) -> (Gc<StringCell>, String) {
    let (x, e) = (heap.string("x"), heap.string("é"));
    let mut rope = x;
    let (mut front, mut back) = (String::new(), String::from("x"));
    for step in 0..count {
        let (part, character) = if step % 3 == 0 { (e, 'é') } else { (x, 'x') };
        let (left, right) = if nest(step) {
            (rope, part)
        } else {
            (part, rope)
        };
        let extent = Extent {
            bytes: left.byte_length() + right.byte_length(),
            length: left.length() + right.length(),
        };
        if nest(step) { &mut back } else { &mut front }.push(character);
        rope = extent.new_rope(heap, left, right).unwrap();
    }
    let text = front.chars().rev().chain(back.chars()).collect();
    (rope, text)
}

#[test]
fn ropes_of_a_million_parts_flatten_however_they_lean() {
    let leanings: [fn(usize) -> bool; 4] = [
        |_| true,
        |_| false,
        |step| step % 2 == 0,
        |step| step.count_ones() % 2 == 0,
    ];
    for nest in leanings {
        let mut heap = TestHeap::default();
        let (rope, text) = deep_rope(&mut heap, 1_000_000, nest);
        heap.check(rope, &text);
    }
}

#[test]
fn a_rope_that_contains_itself_twice_at_every_level_flattens_once() {
    let mut heap = TestHeap::default();
    let mut rope = heap.string(&"ab é".repeat(20));
    let text = "ab é".repeat(20 << 16);
    for _ in 0..16 {
        rope = heap.concat(rope, rope);
    }
    let before = heap.bytes;
    heap.check(rope, &text);
    assert!(
        heap.bytes - before < text.len() + 1000,
        "one buffer of the text's size"
    );
}

#[test]
fn flattening_a_rope_flattens_the_ropes_it_consists_of() {
    let mut heap = TestHeap::default();
    let word = heap.string(&"word ".repeat(20));
    let inner = heap.concat(word, word);
    let outer = heap.concat(word, inner);
    outer.flat_str(&mut heap).unwrap();
    assert_eq!(inner.if_flat(), Some(&*"word ".repeat(40)));
}

/// Appends `part` `count` times, calling `look` after each step, and returns the bytes allocated
/// beyond the cell that every step needs.
fn append_in_a_loop(
    part: &str,
    count: usize,
    look: impl Fn(&mut TestHeap, Gc<StringCell>, usize),
) -> usize {
    let mut heap = TestHeap::default();
    let part_cell = heap.string(part);
    let mut string = heap.string("");
    for step in 0..count {
        string = heap.concat(string, part_cell);
        look(&mut heap, string, step);
    }
    heap.check(string, &part.repeat(count));
    heap.bytes - count * LINK_BYTES
}

/// Copies go to new memory, so the memory allocated bounds what is copied.
#[test]
fn appending_in_a_loop_copies_linearly_whatever_happens_in_between() {
    const COUNT: usize = 50_000;
    for part in [
        "x",
        "é",
        "and a longer piece of text that is no short string by itself",
    ] {
        let limit = 6 * COUNT * part.len() + 10_000;
        for every in [1, 2, 7, 100, 1000, COUNT] {
            let bytes = append_in_a_loop(part, COUNT, |heap, string, step| {
                if step % every == 0 {
                    string.flat_str(heap).unwrap();
                }
            });
            assert!(
                bytes < limit,
                "{part:?} read every {every} steps: {bytes} bytes"
            );
        }
        let bytes = append_in_a_loop(part, COUNT, |heap, string, step| {
            let found = code_point_at(heap, string, string.length() / 2).unwrap();
            assert!(
                found.is_some_and(|character| part.contains(character)),
                "step {step}"
            );
        });
        assert!(bytes < limit, "{part:?} indexed: {bytes} bytes");
    }
}

#[test]
fn appending_without_looking_leaves_few_ropes() {
    let mut heap = TestHeap::default();
    let x = heap.string("x");
    let mut string = heap.string("");
    let mut ropes = 0;
    for _ in 0..10_000 {
        string = heap.concat(string, x);
        ropes += usize::from(string.is_rope());
    }
    assert!(ropes < 1000, "{ropes} ropes");
    assert!(!string.is_rope(), "no chain of ropes is kept alive");
}

#[test]
fn a_string_appended_to_twice_keeps_both_continuations_apart() {
    let mut heap = TestHeap::default();
    let x = heap.string("x");
    let mut base = heap.string("");
    for _ in 0..1000 {
        base = heap.concat(base, x);
    }
    let (a, b) = (heap.string("a"), heap.string("é"));
    let first = heap.concat(base, a);
    let second = heap.concat(base, b);
    let third = heap.concat(first, b);
    heap.check(base, &"x".repeat(1000));
    heap.check(first, &("x".repeat(1000) + "a"));
    heap.check(second, &("x".repeat(1000) + "é"));
    heap.check(third, &("x".repeat(1000) + "aé"));
}

#[test]
fn indexing_text_that_is_not_ascii_makes_one_index() {
    let mut heap = TestHeap::default();
    let text: String = "aé漢😀".chars().cycle().take(10_000).collect();
    let string = heap.string(&text);
    let before = heap.bytes;
    for (index, character) in text
        .chars()
        .enumerate()
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .step_by(7)
    {
        assert_eq!(
            code_point_at(&mut heap, string, index).unwrap(),
            Some(character)
        );
    }
    assert!(heap.bytes - before <= 10_000 / 4 + 8);
    assert_eq!(code_point_at(&mut heap, string, 10_000).unwrap(), None);
}

#[test]
fn long_pieces_are_views_and_short_or_small_ones_are_copies() {
    let mut heap = TestHeap::default();
    let text: String = "0123456789é".chars().cycle().take(11_000).collect();
    let string = heap.string(&text);
    let half = substring(&mut heap, string, 100, 5600).unwrap();
    assert!(half.is_view());
    let quarter = substring(&mut heap, half, 3, 2753).unwrap();
    assert!(quarter.is_view());
    assert!(
        !substring(&mut heap, string, 0, 20).unwrap().is_view(),
        "short"
    );
    assert!(
        !substring(&mut heap, string, 0, 500).unwrap().is_view(),
        "would keep a long string alive"
    );
    heap.check(quarter, &piece(&text, 103, 2853));
    let ascii = heap.string(&"x".repeat(1000));
    let tail = heap.concat(string, ascii);
    let tail = substring(&mut heap, tail, 11_000, 12_000).unwrap();
    assert!(tail.is_ascii() && tail.is_view());
    heap.check(tail, &"x".repeat(1000));
}

#[test]
fn cutting_the_first_character_off_again_and_again_copies_little() {
    let mut heap = TestHeap::default();
    let mut string = heap.string(&"é".repeat(20_000));
    let before = heap.bytes;
    for _ in 0..20_000 {
        string = substring(&mut heap, string, 1, usize::MAX).unwrap();
    }
    assert!(string.is_empty());
    assert!(heap.bytes - before < 20_000 * 64);
}

#[test]
fn characters_and_the_empty_string_are_shared() {
    let mut heap = TestHeap::default();
    let string = heap.string("aéa漢");
    let at = |heap: &mut TestHeap, index| char_at(heap, string, index).unwrap().unwrap();
    assert_eq!(at(&mut heap, 0), at(&mut heap, 2));
    assert_eq!(at(&mut heap, 1), heap.string("é"));
    assert_eq!(at(&mut heap, 1), intern(&mut heap, "é").unwrap());
    let wide = at(&mut heap, 3);
    heap.check(wide, "漢");
    let nothing = substring(&mut heap, string, 2, 2).unwrap();
    assert_eq!(nothing, heap.string(""));
    assert_eq!(nothing, intern(&mut heap, "").unwrap());
}

#[test]
fn an_interned_string_is_the_only_one_with_its_text() {
    let mut heap = TestHeap::default();
    assert_eq!(heap.strings.lookup_interned("name"), None);
    let name = intern(&mut heap, "name").unwrap();
    assert_eq!(intern(&mut heap, "name").unwrap(), name);
    assert_eq!(heap.strings.lookup_interned("name"), Some(name));
    assert_eq!(name.interned_hash(), hash_of("name"));

    let copy = heap.string("name");
    assert!(copy != name && !copy.is_interned() && copy.equals_flat(name));
    assert_eq!(lookup_interned_cell(&mut heap, copy).unwrap(), Some(name));
    assert_eq!(intern_cell(&mut heap, copy).unwrap(), name);

    let other = heap.string("other");
    assert_eq!(lookup_interned_cell(&mut heap, other).unwrap(), None);
    assert_eq!(
        intern_cell(&mut heap, other).unwrap(),
        other,
        "the first becomes the interned one"
    );
    assert!(!equals(&mut heap, name, other).unwrap());
    assert_eq!(heap.strings.interned_count(), 2);
    for text in ["", "a", "é", "漢"] {
        let cell = intern(&mut heap, text).unwrap();
        assert_eq!(cell.interned_hash(), hash_of(text));
    }
}

#[test]
fn order_is_that_of_code_points() {
    let mut heap = TestHeap::default();
    let mut order = |a, b| {
        let (a, b) = (heap.string(a), heap.string(b));
        compare(&mut heap, a, b).unwrap()
    };
    assert_eq!(order("a", "b"), Ordering::Less);
    assert_eq!(order("Z", "a"), Ordering::Less);
    assert_eq!(order("z", "é"), Ordering::Less);
    assert_eq!(order("ﬁ", "😀"), Ordering::Less);
    assert_eq!(order("ab", "a"), Ordering::Greater);
    assert_eq!(order("ab", "ab"), Ordering::Equal);
}

#[test]
fn search_counts_code_points() {
    let mut heap = TestHeap::default();
    let mut position = |text, needle, from| {
        let (text, needle) = (heap.string(text), heap.string(needle));
        find(&mut heap, text, needle, from).unwrap()
    };
    assert_eq!(position("hello", "l", 0), Some(2));
    assert_eq!(position("hello", "l", 3), Some(3));
    assert_eq!(position("hello", "l", 4), None);
    assert_eq!(position("漢字é", "é", 0), Some(2));
    assert_eq!(position("hello", "", 3), Some(3));
    assert_eq!(position("hello", "", 5), Some(5));
    assert_eq!(position("hello", "", 6), None);
}

#[test]
fn replication_takes_whole_copies_and_a_fraction() {
    let mut heap = TestHeap::default();
    for (text, factor, expected) in [
        ("abc", 2.5, "abcabca".to_owned()),
        ("abc", 2.67, "abcabcab".to_owned()),
        ("héé", 1.5, "hééh".to_owned()),
        ("abc", 0.5, "a".to_owned()),
        ("abc", 1.0, "abc".to_owned()),
        ("abc", 0.0, String::new()),
        ("abc", -3.0, String::new()),
        ("", 1e10, String::new()),
        ("é漢", 100_000.5, "é漢".repeat(100_000) + "é"),
    ] {
        let string = heap.string(text);
        let result = replicate(&mut heap, string, factor).unwrap();
        heap.check(result, &expected);
    }
}

#[test]
fn the_length_is_limited_in_code_points() {
    let mut heap = TestHeap::default();
    let e = heap.string("é");
    let longest = replicate(&mut heap, e, MAX_LENGTH as f64).unwrap();
    assert_eq!(longest.length(), MAX_LENGTH);
    assert!(is_too_large(concat(&mut heap, longest, e)));
    assert!(is_too_large(replicate(
        &mut heap,
        e,
        MAX_LENGTH as f64 + 1.0
    )));
    assert!(is_too_large(replicate(&mut heap, e, 1e300)));
    assert!(is_too_large(replicate(&mut heap, e, f64::INFINITY)));
    assert!(is_too_large(replicate(&mut heap, longest, 1.5)));
    let text = "x".repeat(MAX_LENGTH + 1);
    assert!(is_too_large(new_string(&mut heap, &text)));
}
