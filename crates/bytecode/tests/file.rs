//! Compiled files.

mod common;

use std::sync::Arc;

use common::{Random, builder, every_instruction, fibonacci, top_level};
use kiln_bytecode::verifier::MAX_FUNCTION_DEPTH;
use kiln_bytecode::{
    CodeBlock, Defect, FileError, Instruction, Parameter, Register, SourceSpan, SpanEntry,
    from_bytes, to_bytes,
};

#[test]
fn a_file_gives_the_same_block_again() {
    let mut blocks = vec![fibonacci(), top_level()];
    blocks.extend((0..50).map(every_instruction));
    let mut nested = fibonacci();
    nested.functions = vec![Arc::new(top_level()), Arc::new(fibonacci())];
    blocks.push(nested);
    let mut with_spans = fibonacci();
    let span = SourceSpan {
        line: 1,
        column: 200,
        end_line: 70_000,
        end_column: 3,
    };
    with_spans.spans = vec![SpanEntry { start: 0, span }];
    blocks.push(with_spans);
    for block in blocks {
        assert_eq!(from_bytes(&to_bytes(&block)), Ok(block));
    }
}

#[test]
fn functions_of_one_origin_share_it() {
    let block = from_bytes(&to_bytes(&top_level())).unwrap();
    let mut outer = fibonacci();
    outer.functions = vec![Arc::new(fibonacci()), Arc::new(block)];
    let read = from_bytes(&to_bytes(&outer)).unwrap();
    assert!(Arc::ptr_eq(&read.origin, &read.functions[0].origin));
    let module = read.functions[1].functions[0].origin.module.as_deref();
    assert_eq!(module, Some("module.ms"));
}

#[test]
fn other_bytes_are_told_apart() {
    assert_eq!(from_bytes(b""), Err(FileError::NotAFile));
    assert_eq!(from_bytes(b"print 1"), Err(FileError::NotAFile));
    let mut bytes = to_bytes(&fibonacci());
    bytes[6] ^= 1;
    assert_eq!(from_bytes(&bytes), Err(FileError::OtherVersion));
    let mut bytes = to_bytes(&fibonacci());
    bytes[8] ^= 1;
    assert_eq!(from_bytes(&bytes), Err(FileError::OtherVersion));
}

#[test]
fn every_shorter_or_longer_file_is_damaged() {
    let bytes = to_bytes(&top_level());
    for length in 16..bytes.len() {
        let result = from_bytes(&bytes[..length]);
        assert!(
            matches!(result, Err(FileError::Damaged(_))),
            "{length}: {result:?}"
        );
    }
    let longer = [&bytes[..], b"?"].concat();
    assert_eq!(from_bytes(&longer), Err(FileError::Damaged(bytes.len())));
}

#[test]
fn a_count_is_trusted_no_further_than_the_bytes_reach() {
    // Behind the header a count of origins of nearly four billion.
    let mut bytes = to_bytes(&fibonacci())[..16].to_vec();
    bytes.extend([0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0]);
    assert_eq!(from_bytes(&bytes), Err(FileError::Damaged(21)));
    // Five bytes that make more than 32 bits, and a number that never ends.
    bytes[20] = 0x1F;
    assert_eq!(from_bytes(&bytes), Err(FileError::Damaged(21)));
    bytes[20] = 0x8F;
    assert_eq!(from_bytes(&bytes), Err(FileError::Damaged(21)));
}

#[test]
fn what_is_read_is_verified() {
    let mut block = fibonacci();
    block.instructions[1] = Instruction(0xFF);
    match from_bytes(&to_bytes(&block)) {
        Err(FileError::Invalid(error)) => assert_eq!(error.defect, Defect::UnknownOpcode(255)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn functions_nested_too_deep_are_refused() {
    let minimal = || {
        let mut builder = builder();
        builder.return_value(Register::SELF);
        builder.finish().unwrap()
    };
    let nest = |depth| {
        let mut block = minimal();
        for _ in 0..depth {
            let inner = std::mem::replace(&mut block, minimal());
            block.functions = vec![Arc::new(inner)];
        }
        from_bytes(&to_bytes(&block))
    };
    assert!(nest(MAX_FUNCTION_DEPTH).is_ok());
    assert!(matches!(
        nest(MAX_FUNCTION_DEPTH + 1),
        Err(FileError::Damaged(_))
    ));
}

#[test]
fn damaged_files_never_make_the_reader_panic() {
    let mut random = Random::new(5);
    let mut block = every_instruction(2);
    let name = "x".into();
    let default = 1.0.into();
    block.parameters = vec![Parameter { name, default }];
    let files = [fibonacci(), top_level(), block].map(|block: CodeBlock| to_bytes(&block));
    let mut accepted = 0;
    for round in 0..30_000 {
        let mut bytes = files[round % 3].clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len() as u32) as usize;
            match random.below(4) {
                0 => bytes[at] = random.next() as u8,
                1 => bytes[at] ^= 1 << random.below(8),
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, 0xFF),
            }
        }
        accepted += u32::from(from_bytes(&bytes).is_ok());
    }
    assert!(accepted > 100, "some damage is harmless: {accepted}");
}

#[test]
fn random_bytes_never_make_the_reader_panic() {
    let mut random = Random::new(6);
    let header = &to_bytes(&fibonacci())[..16];
    for _ in 0..30_000 {
        let mut bytes = header.to_vec();
        for _ in 0..random.below(200) {
            bytes.push(random.next() as u8 & [0xFF, 0x03][random.below(2) as usize]);
        }
        assert!(from_bytes(&bytes).is_err());
    }
}
