//! Code compiled by Cranelift, published, run, freed and published again.

use cranelift_codegen::Context;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{
    AbiParam, ExtFuncData, ExternalName, InstBuilder, LibCall, Signature, SourceLoc,
    UserExternalName,
};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

use super::*;

const TWICE: u32 = 7;

extern "C" fn twice(number: u64) -> u64 {
    number * 2
}

fn isa() -> OwnedTargetIsa {
    let mut flags = settings::builder();
    for (name, value) in [
        ("opt_level", "none"),
        ("unwind_info", "false"),
        ("preserve_frame_pointers", "true"),
    ] {
        flags.set(name, value).unwrap();
    }
    let flags = settings::Flags::new(flags);
    cranelift_native::builder().unwrap().finish(flags).unwrap()
}

/// `x -> f(x) + increment`, where `f` is a symbol that must be `near` or not.
/// The call is at position 3, the addition at position 4.
pub(crate) fn compile(name: &str, increment: i64, near: bool) -> MachineCode {
    let isa = isa();
    let mut context = Context::new();
    let mut reused = FunctionBuilderContext::new();
    let signature = Signature {
        params: vec![AbiParam::new(I64)],
        returns: vec![AbiParam::new(I64)],
        call_conv: CallConv::triple_default(isa.triple()),
    };
    context.func.signature = signature.clone();
    let mut builder = FunctionBuilder::new(&mut context.func, &mut reused);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let signature = builder.import_signature(signature);
    let symbol = UserExternalName {
        namespace: 0,
        index: TWICE,
    };
    let symbol = builder.func.declare_imported_user_function(symbol);
    let function = builder.import_function(ExtFuncData {
        name: ExternalName::user(symbol),
        signature,
        colocated: near,
        patchable: false,
    });
    let x = builder.block_params(entry)[0];
    builder.set_srcloc(SourceLoc::new(3));
    let call = builder.ins().call(function, &[x]);
    let result = builder.inst_results(call)[0];
    builder.set_srcloc(SourceLoc::new(4));
    let increment = builder.ins().iconst(I64, increment);
    let result = builder.ins().iadd(result, increment);
    builder.ins().return_(&[result]);
    builder.seal_all_blocks();
    builder.finalize(isa.frontend_config());
    context.compile(&*isa, &mut Default::default()).unwrap();
    let code = context.compiled_code().unwrap();
    MachineCode::new(name, code, &context.func).unwrap()
}

pub(crate) fn twice_symbol() -> Symbol {
    Symbol::User(UserExternalName {
        namespace: 0,
        index: TWICE,
    })
}

pub(crate) fn address_of_twice(symbol: &Symbol) -> Option<usize> {
    let address = (twice as extern "C" fn(u64) -> u64 as *const ()).expose_provenance();
    (*symbol == twice_symbol()).then_some(address)
}

fn memory() -> CodeMemory {
    CodeMemory::new(CodeMemoryOptions::default())
}

fn call(memory: &CodeMemory, handle: CodeHandle, argument: u64) -> u64 {
    let entry = memory.get(handle).unwrap().entry();
    // SAFETY: the code was compiled with this signature, and is published.
    let function: extern "C" fn(u64) -> u64 = unsafe { std::mem::transmute(entry) };
    function(argument)
}

#[test]
fn published_code_runs() {
    let mut memory = memory();
    let handle = memory
        .publish(&compile("f", 1, false), address_of_twice)
        .unwrap();
    assert_eq!(call(&memory, handle, 20), 41);
    assert_eq!(memory.get(handle).unwrap().name(), "f");
}

#[test]
fn code_calls_other_code_nearby() {
    let mut memory = memory();
    let inner = memory
        .publish(&compile("inner", 1, false), address_of_twice)
        .unwrap();
    let inner = memory.get(inner).unwrap().entry().addr();
    let outer = memory
        .publish(&compile("outer", 100, true), |_| Some(inner))
        .unwrap();
    assert_eq!(call(&memory, outer, 20), 141);
}

#[test]
fn freed_memory_is_used_again_and_old_handles_name_nothing() {
    let mut memory = memory();
    let first = memory
        .publish(&compile("first", 1, false), address_of_twice)
        .unwrap();
    let addresses = memory.get(first).unwrap().addresses();
    assert!(memory.free(first));
    assert!(!memory.free(first));
    assert!(memory.is_empty());
    assert_eq!(
        (memory.used_bytes(), memory.find(addresses.start)),
        (0, None)
    );

    let second = memory
        .publish(&compile("second", 2, false), address_of_twice)
        .unwrap();
    assert_eq!(memory.get(second).unwrap().addresses(), addresses);
    assert_eq!(call(&memory, second, 20), 42);
    assert!(memory.get(first).is_none());
    assert!(!memory.free(first));
    assert_eq!(memory.len(), 1);
}

#[test]
fn one_view_of_the_memory_will_do() {
    let mut arena = Arena::reserve(1 << 20, Mapping::Anonymous).unwrap();
    let code = compile("f", 1, false);
    let block = Block {
        offset: 64,
        size: FreeList::rounded(code.size()).unwrap(),
    };
    for _ in 0..2 {
        place(&mut arena, block, &code, &mut address_of_twice).unwrap();
        let entry: *const u8 = std::ptr::with_exposed_provenance(arena.start() + block.offset);
        // SAFETY: the code was compiled with this signature.
        let function: extern "C" fn(u64) -> u64 = unsafe { std::mem::transmute(entry) };
        assert_eq!(function(20), 41);
        arena.clear(block.offset..block.end());
    }
    let mut traps = vec![0; block.size];
    fill_with_traps(&mut traps);
    assert_eq!(arena.code()[block.offset..block.end()], traps);
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[test]
fn freed_code_is_overwritten_with_traps() {
    let mut memory = memory();
    let handle = memory
        .publish(&compile("f", 1, false), address_of_twice)
        .unwrap();
    let block = memory.get(handle).unwrap().block;
    memory.free(handle);
    let Memory::Reserved { arena, .. } = &memory.memory else {
        panic!("nothing was reserved")
    };
    let freed = &arena.code()[block.offset..block.end()];
    let mut traps = vec![0; block.size];
    fill_with_traps(&mut traps);
    assert_eq!(freed, traps);
    assert_ne!(traps, vec![0; block.size]);
}

#[test]
fn addresses_lead_to_code_and_return_addresses_to_positions() {
    let mut memory = memory();
    let code = compile("f", 1, false);
    let handles: Vec<CodeHandle> = (0..5)
        .map(|_| memory.publish(&code, address_of_twice).unwrap())
        .collect();
    memory.free(handles[2]);
    for (index, &handle) in handles.iter().enumerate() {
        let Some(object) = memory.get(handle) else {
            assert_eq!(index, 2);
            continue;
        };
        let addresses = object.addresses();
        assert_eq!(memory.find(addresses.start), Some(handle));
        assert_eq!(memory.find(addresses.end - 1), Some(handle));
        assert_ne!(memory.find(addresses.end), Some(handle));
        let ranges = object.positions().ranges();
        let addition = ranges
            .iter()
            .find(|range| range.position == Some(4))
            .unwrap();
        // What the call returns to is the first instruction of the addition.
        let return_address = addresses.start + addition.start as usize;
        assert_eq!(memory.position_at(return_address), Some((handle, 3)));
        assert_eq!(object.position_at(return_address + 1), Some(4));
    }
    assert_eq!(memory.find(0), None);
    assert_eq!(memory.find(usize::MAX), None);
    assert_eq!(memory.position_at(0), None);
}

#[test]
fn the_least_recently_used_code_is_evicted_first() {
    let code = compile("f", 1, false);
    let size = FreeList::rounded(code.size()).unwrap();
    let mut memory = CodeMemory::new(CodeMemoryOptions {
        budget_bytes: 3 * size,
        ..CodeMemoryOptions::default()
    });
    let [a, b, c] = [(); 3].map(|()| memory.publish(&code, address_of_twice).unwrap());
    assert_eq!(memory.used_bytes(), memory.budget_bytes());
    let Err(CodeMemoryError::OverBudget { missing }) = memory.publish(&code, address_of_twice)
    else {
        panic!("the budget was exceeded")
    };
    assert_eq!(missing, size);
    memory.touch(a);
    let candidates = |bytes| memory.eviction_candidates(bytes, |_, _| false);
    assert_eq!(candidates(missing), [b]);
    assert_eq!(candidates(missing + 1), [b, c]);
    assert_eq!(candidates(usize::MAX), [b, c, a]);
    assert_eq!(candidates(0), []);
    assert_eq!(memory.eviction_candidates(1, |it, _| it == b), [c]);

    memory.free(b);
    let d = memory.publish(&code, address_of_twice).unwrap();
    assert_eq!(call(&memory, d, 1), 3);
}

#[test]
fn without_a_budget_nothing_is_published() {
    let mut memory = CodeMemory::new(CodeMemoryOptions {
        budget_bytes: 0,
        ..CodeMemoryOptions::default()
    });
    let error = memory.publish(&compile("f", 1, false), address_of_twice);
    assert!(matches!(error, Err(CodeMemoryError::OverBudget { missing }) if missing > 0));
    assert!(matches!(memory.memory, Memory::Untouched));
}

#[test]
fn memory_that_the_system_refuses_is_an_error_each_time() {
    let mut memory = CodeMemory::new(CodeMemoryOptions {
        reserved_bytes: 1 << 62,
        ..CodeMemoryOptions::default()
    });
    let code = compile("f", 1, false);
    let error = memory.publish(&code, address_of_twice);
    if cfg!(target_os = "linux") {
        assert!(matches!(error, Err(CodeMemoryError::Refused { .. })));
    }
    let error = memory.publish(&code, address_of_twice);
    assert!(matches!(error, Err(CodeMemoryError::RefusedBefore)));
}

#[test]
fn an_arena_that_is_full_is_an_error() {
    let mut memory = CodeMemory::new(CodeMemoryOptions {
        reserved_bytes: 4096,
        ..CodeMemoryOptions::default()
    });
    let code = compile("f", 1, false);
    let error =
        std::iter::repeat_with(|| memory.publish(&code, address_of_twice)).find_map(Result::err);
    assert!(matches!(error, Some(CodeMemoryError::Fragmented(size)) if size == code.size()));
}

#[test]
fn a_symbol_that_nobody_knows_is_an_error_that_costs_no_memory() {
    let mut memory = memory();
    let error = memory.publish(&compile("f", 1, false), |_| None);
    let Err(CodeMemoryError::Relocation(RelocationError::UnknownSymbol(symbol))) = error else {
        panic!("{error:?}")
    };
    assert_ne!(symbol, Symbol::Library(LibCall::FloorF64));
    assert_eq!((memory.used_bytes(), memory.len()), (0, 0));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn an_address_out_of_reach_is_an_error() {
    let mut memory = memory();
    let error = memory.publish(&compile("f", 1, true), |_| Some(1 << 12));
    let is_out_of_reach = matches!(
        error,
        Err(CodeMemoryError::Relocation(RelocationError::OutOfReach(_)))
    );
    assert!(is_out_of_reach, "{error:?}");
}

/// Any sequence of publishing and freeing: what is published runs, and every address leads to the right code.
#[test]
fn code_comes_and_goes_in_any_order() {
    let functions: Vec<MachineCode> = (0..8)
        .map(|it| compile("f", 1 << (5 * it), false))
        .collect();
    let mut random = fastrand::Rng::with_seed(1);
    let mut memory = CodeMemory::new(CodeMemoryOptions {
        reserved_bytes: 8192,
        ..CodeMemoryOptions::default()
    });
    let mut published: Vec<(CodeHandle, usize)> = Vec::new();
    for _ in 0..2000 {
        let which = random.usize(..functions.len());
        match memory.publish(&functions[which], address_of_twice) {
            Ok(handle) if random.bool() => published.push((handle, which)),
            Ok(handle) => assert!(memory.free(handle)),
            Err(CodeMemoryError::Fragmented(_)) => {
                let index = random.usize(..published.len());
                assert!(memory.free(published.swap_remove(index).0));
            }
            Err(error) => panic!("{error}"),
        }
        assert_eq!(memory.len(), published.len());
        if let Some(&(handle, which)) = random.choice(&published) {
            assert_eq!(call(&memory, handle, 1), 2 + (1 << (5 * which)));
            let addresses = memory.get(handle).unwrap().addresses();
            let inside = random.usize(addresses);
            assert_eq!(memory.find(inside), Some(handle));
        }
    }
}
