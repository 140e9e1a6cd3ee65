//! The state of a lowering; entry and blocks.

use std::collections::HashMap;
use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, AbiParam, BlockArg, Function as Clif, InstBuilder, SigRef, Signature, SourceLoc, Type,
    Value as ClifValue, types,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use kiln_ssa::entity::EntityVec;
use kiln_ssa::ir::{
    Block, BlockCall, Definition, Entry, FrameId, Function, Inst, Node, Representation, Value,
};
use kiln_vm::Value as Word;
use kiln_vm::frame::Frame;
use kiln_vm::tier::{self, layout};

use super::Exits;
use super::exits::Leave;
use super::snapshot::OptimizingJob;
use crate::baseline::CompileError;
use crate::emit::Emit;

/// The lowering of one function.
pub(super) struct Lowering<'job, 'function> {
    pub job: &'job OptimizingJob,
    pub function: &'job Function,
    pub builder: FunctionBuilder<'function>,
    blocks: HashMap<Block, ir::Block>,
    values: Vec<Option<ClifValue>>,
    /// The interpreter.
    pub vm: ClifValue,
    /// The outermost frame's window.
    pub window: ClifValue,
    /// The outermost frame's record.
    pub record: ClifValue,
    /// Leaves with [`tier::THROWN`].
    pub thrown: ir::Block,
    pub exits: Exits,
    /// The instruction being lowered.
    pub current: Option<Inst>,
    /// The blocks that leave with a frame state; parameters: the next instruction, the exit.
    pub exit_blocks: HashMap<FrameId, ir::Block>,
    /// Blocks that leave and have no code yet.
    pub pending_leaves: Vec<Leave>,
    /// Exit blocks without code, in the order in which they were asked for.
    pub pending_exits: Vec<(FrameId, ir::Block)>,
    pub signatures: Signatures,
    /// The values that instructions have as operands; others are named by frame states only.
    is_operand: EntityVec<Value, bool>,
    /// An instruction that no family knows.
    pub unsupported: Option<&'static str>,
}

/// The signatures of functions that are called.
#[derive(Clone, Copy)]
pub(super) struct Signatures {
    /// Two words to a word.
    pub two: SigRef,
    /// Three words to a word.
    pub three: SigRef,
    /// Four words to a word.
    pub four: SigRef,
    /// Four words to nothing.
    pub four_to_none: SigRef,
    /// Two doubles to a double.
    pub floats: SigRef,
    /// A word and three doubles to a word.
    pub range: SigRef,
}

impl<'function> Emit<'function> for Lowering<'_, 'function> {
    fn builder(&mut self) -> &mut FunctionBuilder<'function> {
        &mut self.builder
    }
}

/// The machine's type for values in a representation.
pub(super) fn type_of(representation: Representation) -> Type {
    match representation {
        Representation::Tagged | Representation::I64 | Representation::Pointer => types::I64,
        Representation::F64 => types::F64,
        Representation::I32 => types::I32,
        Representation::Bool => types::I8,
    }
}

/// Lowers a function; the places where it can be left.
///
/// # Errors
/// The function has an instruction for which there is no lowering.
pub(super) fn lower(
    job: &OptimizingJob,
    function: &Function,
    clif: &mut Clif,
    context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) -> Result<Exits, CompileError> {
    let signature = |parameters: &[Type], results: &[Type]| Signature {
        params: parameters.iter().copied().map(AbiParam::new).collect(),
        returns: results.iter().copied().map(AbiParam::new).collect(),
        // What `extern "C"` means on the systems code is made for.
        call_conv: CallConv::SystemV,
    };
    const WORD: Type = types::I64;
    clif.signature = signature(&[WORD; 4], &[WORD]);
    let mut builder = FunctionBuilder::new(clif, context);
    let signatures = Signatures {
        two: builder.import_signature(signature(&[WORD; 2], &[WORD])),
        three: builder.import_signature(signature(&[WORD; 3], &[WORD])),
        four: builder.import_signature(signature(&[WORD; 4], &[WORD])),
        four_to_none: builder.import_signature(signature(&[WORD; 4], &[])),
        floats: builder.import_signature(signature(&[types::F64; 2], &[types::F64])),
        range: builder.import_signature(signature(
            &[WORD, types::F64, types::F64, types::F64],
            &[WORD],
        )),
    };
    let first = builder.create_block();
    builder.append_block_params_for_function_params(first);
    builder.switch_to_block(first);
    let parameters = builder.block_params(first);
    let (vm, window) = (parameters[0], parameters[1]);
    let (code, at) = (parameters[2], parameters[3]);
    let thrown = builder.create_block();
    builder.set_cold_block(thrown);
    let mut lowering = Lowering {
        job,
        function,
        builder,
        blocks: HashMap::new(),
        values: vec![None; function.values.len()],
        vm,
        window,
        record: window,
        thrown,
        exits: Vec::new(),
        current: None,
        exit_blocks: HashMap::new(),
        pending_leaves: Vec::new(),
        pending_exits: Vec::new(),
        signatures,
        is_operand: operands(function),
        unsupported: None,
    };
    lowering.make_blocks();
    match function.entry {
        Entry::Call => lowering.enter_frame(code, at),
        Entry::Loop(_) => {
            let top = lowering.load(types::I64, vm, layout::FRAMES_TOP);
            lowering.record =
                (lowering.builder.ins()).iadd_imm_s(top, -(layout::FRAME_SIZE as i64));
        }
    }
    let entry = lowering.block(function.entry_block());
    lowering.builder.ins().jump(entry, &[]);
    for block in &function.layout {
        lowering.lower_block(*block);
    }
    lowering.lower_exits();
    lowering.builder.switch_to_block(thrown);
    let word = lowering.word(tier::THROWN);
    lowering.builder.ins().return_(&[word]);
    lowering.builder.seal_all_blocks();
    let Lowering {
        builder,
        exits,
        unsupported,
        ..
    } = lowering;
    builder.finalize(config);
    match unsupported {
        None => Ok(exits),
        Some(name) => Err(CompileError::Backend(format!("no lowering of {name}"))),
    }
}

/// Which values are operands of instructions.
fn operands(function: &Function) -> EntityVec<Value, bool> {
    let mut is_operand = EntityVec::filled(false, function.values.len());
    for block in &function.layout {
        for inst in &function.blocks[*block].instructions {
            let node = &function.instructions[*inst].node;
            node.for_each_operand(|value| is_operand[value] = true);
        }
    }
    is_operand
}

impl Lowering<'_, '_> {
    fn make_blocks(&mut self) {
        for block in &self.function.layout {
            let data = &self.function.blocks[*block];
            let made = self.builder.create_block();
            if data.is_cold {
                self.builder.set_cold_block(made);
            }
            for parameter in &data.parameters {
                let kind = type_of(self.function.ty(*parameter).representation);
                let value = self.builder.append_block_param(made, kind);
                self.values[parameter.0 as usize] = Some(value);
            }
            self.blocks.insert(*block, made);
        }
    }

    /// The machine's block for a block.
    pub fn block(&self, block: Block) -> ir::Block {
        self.blocks.get(&block).copied().unwrap_or(self.thrown)
    }

    /// Enters the frame of a call: checks that the code is still valid and the stacks, and writes the record.
    fn enter_frame(&mut self, code: ClifValue, at: ClifValue) {
        let (vm, window) = (self.vm, self.window);
        self.revoke_on_purpose();
        let validity = self.word(self.job.validity);
        let is_valid = self.load_byte(validity, 0);
        let invalid = self.cold_block();
        self.require(is_valid, invalid);

        let bytes = i64::from(self.job.input.window_size(self.function)) * 8;
        let end = self.builder.ins().iadd_imm_s(window, bytes);
        let limit = self.word(self.job.limit);
        let limit = self.load(types::I64, limit, 0);
        let is_beyond = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, end, limit);
        let (full, fits) = (self.cold_block(), self.builder.create_block());
        self.refuse(is_beyond, full);
        let here = self.builder.ins().get_stack_pointer(types::I64);
        let lowest = self.load(types::I64, vm, layout::STACK_LIMIT);
        let is_used_up = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, here, lowest);
        self.builder.ins().brif(is_used_up, full, &[], fits, &[]);

        self.builder.switch_to_block(invalid);
        let enter = self.word(tier::enter_invalid as *const () as u64);
        let call =
            self.builder
                .ins()
                .call_indirect(self.signatures.four, enter, &[vm, window, code, at]);
        let result = self.builder.inst_results(call)[0];
        self.builder.ins().return_(&[result]);

        self.builder.switch_to_block(full);
        let make_room = self.word(tier::make_room as *const () as u64);
        let call =
            self.builder
                .ins()
                .call_indirect(self.signatures.three, make_room, &[vm, code, window]);
        let refused = self.builder.inst_results(call)[0];
        let thrown = self.thrown;
        self.refuse(refused, thrown);
        // Others may have run meanwhile.
        let is_valid = self.load_byte(validity, 0);
        self.require(is_valid, invalid);
        // There is room for the function itself; if there is none for what is inlined, the interpreter gets by.
        let limit = self.word(self.job.limit);
        let limit = self.load(types::I64, limit, 0);
        let is_beyond = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, end, limit);
        let narrow = self.cold_block();
        self.builder.ins().brif(is_beyond, narrow, &[], fits, &[]);
        self.builder.switch_to_block(narrow);
        let interpret = self.word(tier::interpret as *const () as u64);
        let call = self.builder.ins().call_indirect(
            self.signatures.four,
            interpret,
            &[vm, window, code, at],
        );
        let result = self.builder.inst_results(call)[0];
        self.builder.ins().return_(&[result]);

        self.builder.switch_to_block(fits);
        // Where the frame goes on is written before anything looks.
        self.record = self.load(types::I64, vm, layout::FRAMES_TOP);
        self.store(code, self.record, offset_of!(Frame, code) as i32);
        self.store(window, self.record, offset_of!(Frame, base) as i32);
        self.set_frames_top(1);
    }

    /// Makes the current frame the one whose record is so many records, less one, behind the outermost one's.
    pub fn set_frames_top(&mut self, records: usize) {
        let bytes = (records * layout::FRAME_SIZE) as i64;
        let (vm, record) = (self.vm, self.record);
        let top = self.builder.ins().iadd_imm_s(record, bytes);
        self.store(top, vm, layout::FRAMES_TOP as i32);
    }

    fn lower_block(&mut self, block: Block) {
        let made = self.block(block);
        self.builder.switch_to_block(made);
        let instructions = &self.function.blocks[block].instructions;
        for inst in instructions {
            self.lower_instruction(*inst);
        }
    }

    fn lower_instruction(&mut self, inst: Inst) {
        let data = &self.function.instructions[inst];
        // What only exits need, they make.
        if let (Node::NewRange { .. }, Some(range)) = (&data.node, data.result)
            && !self.is_operand[range]
        {
            return;
        }
        self.current = Some(inst);
        if let Some(frame) = data.node.frame() {
            // Tables know positions of the function's own code only: for an inlined one it is that of the call.
            let mut state = &self.function.frames[frame];
            while let Some(caller) = state.caller {
                state = &self.function.frames[caller];
            }
            self.builder.set_srcloc(SourceLoc::new(state.position));
        }
        let result = self.lower_node(&data.node);
        if let (Some(value), Some(lowered)) = (data.result, result) {
            self.values[value.0 as usize] = Some(lowered);
        }
    }

    /// Lowers one instruction; its result, if it has one.
    fn lower_node(&mut self, node: &Node) -> Option<ClifValue> {
        if let Some(result) = self.lower_arithmetic(node) {
            return Some(result);
        }
        if let Some(result) = self.lower_comparison(node) {
            return Some(result);
        }
        if let Some(result) = self.lower_strings(node) {
            return Some(result);
        }
        if let Some(result) = self.lower_access(node) {
            return result;
        }
        if let Some(result) = self.lower_keys(node) {
            return result;
        }
        if let Some(result) = self.lower_allocation(node) {
            return Some(result);
        }
        if let Some(result) = self.lower_call(node) {
            return result;
        }
        self.lower_control(node)
    }

    /// A value. Constants are made where they are used: that is cheaper than keeping them.
    pub fn value(&mut self, value: Value) -> ClifValue {
        if let Some(known) = self.values[value.0 as usize] {
            return known;
        }
        let node = match self.function.values[value].definition {
            Definition::Result(inst) => &self.function.instructions[inst].node,
            // All parameters have values from the start.
            Definition::Parameter(_) => return self.word(0),
        };
        match *node {
            Node::Number { number } => self.float(number.0),
            Node::Whole { number } => self.word(number as u64),
            Node::Truth { holds } => self.builder.ins().iconst(types::I8, i64::from(holds)),
            Node::Null {} => self.word(Word::NULL.bits()),
            Node::Unassigned {} => self.word(Word::UNASSIGNED.bits()),
            Node::Constant { constant } => self.word(self.job.places.constants[constant]),
            Node::NewRange { first, step, count } => self.new_range(first, step, count),
            Node::PoolConstant { code, index } => {
                self.word(self.job.places.codes[code].constants[index.0 as usize])
            }
            _ => self.word(0),
        }
    }

    /// The number that a value is known to be.
    pub fn known_number(&self, value: Value) -> Option<f64> {
        match self.function.values[value].definition {
            Definition::Result(inst) => match self.function.instructions[inst].node {
                Node::Number { number } => Some(number.0),
                _ => None,
            },
            Definition::Parameter(_) => None,
        }
    }

    /// A value as a word of the language, or as a double with the same bits.
    pub fn boxed(&mut self, value: Value) -> ClifValue {
        let lowered = self.value(value);
        match self.function.ty(value).representation {
            Representation::Tagged | Representation::F64 | Representation::Pointer => lowered,
            Representation::I64 | Representation::I32 => {
                self.builder.ins().fcvt_from_sint(types::F64, lowered)
            }
            Representation::Bool => self.truth(lowered),
        }
    }

    /// 1 or 0 as a word.
    pub fn truth(&mut self, condition: ClifValue) -> ClifValue {
        let one = self.word(Word::ONE.bits());
        let zero = self.word(Word::ZERO.bits());
        self.builder.ins().select(condition, one, zero)
    }

    /// A successor's block and arguments.
    pub fn successor(&mut self, call: &BlockCall) -> (ir::Block, Vec<BlockArg>) {
        let arguments = call
            .arguments
            .iter()
            .map(|argument| self.value(*argument).into())
            .collect();
        (self.block(call.block), arguments)
    }
}
