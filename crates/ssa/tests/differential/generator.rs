//! Random programs.

use std::sync::Arc;

use fastrand::Rng;
use kiln_bytecode::{
    CodeBlock, CodeBlockBuilder, GlobalIndex, Label, Language, LoopIndex, Origin, ReadMode,
    Register,
};

const PARAMETERS: u16 = 3;
const LOCALS: u16 = 4;
const FIRST_LOCAL: u16 = 3 + PARAMETERS;
/// Counters of loops: three registers for each level.
const FIRST_COUNTER: u16 = FIRST_LOCAL + LOCALS;
const LEVELS: u16 = 3;
const FIRST_TEMPORARY: u16 = FIRST_COUNTER + 3 * LEVELS;
const WINDOW: u16 = FIRST_TEMPORARY + 4;

/// The number of global variables; the first holds the callee.
pub const GLOBALS: usize = 3;

/// A program of two functions, of which the outer one calls the inner one.
pub fn program(rng: &mut Rng) -> CodeBlock {
    let inner = function(rng, "inner", None);
    function(rng, "outer", Some(Arc::new(inner)))
}

fn function(rng: &mut Rng, name: &str, inner: Option<Arc<CodeBlock>>) -> CodeBlock {
    let origin = Arc::new(Origin {
        file: name.into(),
        module: None,
    });
    let mut code = CodeBlockBuilder::start(Language::MiniScript1, origin);
    for parameter in ["a", "b", "c"] {
        code.add_parameter(parameter, kiln_bytecode::Constant::Null);
    }
    let globals = ["g0", "g1", "g2"].map(|name| code.global(name));
    let calls = inner.is_some();
    if let Some(inner) = inner {
        code.add_function(inner);
    }
    let mut generator = Generator {
        rng,
        code,
        globals,
        calls,
        level: 0,
        budget: 14,
    };
    for local in 0..LOCALS {
        let value = generator.constant();
        generator
            .code
            .load_constant(Register(FIRST_LOCAL + local), value);
    }
    for counter in 0..3 * LEVELS {
        let zero = generator.code.number(0.0);
        generator
            .code
            .load_constant(Register(FIRST_COUNTER + counter), zero);
    }
    generator.statements();
    let result = generator.variable();
    generator.code.return_value(result);
    generator
        .code
        .finish()
        .expect("the generator makes no mistakes")
}

struct Generator<'a> {
    rng: &'a mut Rng,
    code: CodeBlockBuilder,
    globals: [GlobalIndex; GLOBALS],
    calls: bool,
    level: u16,
    budget: u32,
}

impl Generator<'_> {
    fn constant(&mut self) -> kiln_bytecode::ConstantIndex {
        const NUMBERS: [f64; 10] = [
            0.0,
            1.0,
            2.0,
            3.0,
            -1.0,
            0.5,
            -0.0,
            10.0,
            1e18,
            4294967296.0,
        ];
        let number = NUMBERS[self.rng.usize(..NUMBERS.len())];
        self.code.number(number)
    }

    /// A register that holds a variable.
    fn variable(&mut self) -> Register {
        Register(self.rng.u16(3..FIRST_TEMPORARY))
    }

    /// A register that may be assigned.
    fn local(&mut self) -> Register {
        Register(self.rng.u16(3..FIRST_COUNTER))
    }

    fn statements(&mut self) {
        for _ in 0..self.rng.u32(2..6) {
            if self.budget > 0 {
                self.budget -= 1;
                self.statement();
            }
        }
    }

    fn statement(&mut self) {
        match self.rng.u32(..18) {
            0..=5 => self.arithmetic(),
            6 => self.comparison(),
            7 | 8 => self.condition(),
            9 | 10 => self.counting_loop(),
            11 => self.range_loop(),
            12 => self.list_loop(),
            13 => self.element(),
            14 => self.set_element(),
            15 => self.global(),
            16 if self.calls => self.call(),
            17 if self.rng.u32(..4) == 0 => {
                let end = self.code.new_label();
                let variable = self.variable();
                self.code.jump_if_false(variable, end);
                let result = self.variable();
                self.code.return_value(result);
                self.code.bind(end);
            }
            _ => {
                let (to, from) = (self.local(), self.variable());
                self.code.move_register(to, from);
            }
        }
    }

    fn arithmetic(&mut self) {
        let (to, lhs, rhs, constant) = (
            self.local(),
            self.variable(),
            self.variable(),
            self.constant(),
        );
        let code = &mut self.code;
        match self.rng.u32(..13) {
            0 | 1 => code.add(to, lhs, rhs),
            2 => code.subtract(to, lhs, rhs),
            3 => code.multiply(to, lhs, rhs),
            4 => code.divide(to, lhs, rhs),
            5 => code.modulo(to, lhs, rhs),
            6 | 7 => code.add_constant(to, lhs, constant),
            8 => code.modulo_constant(to, lhs, constant),
            9 => code.negate(to, lhs),
            10 => code.not(to, lhs),
            11 => code.and(to, lhs, rhs),
            _ => code.or(to, lhs, rhs),
        };
    }

    fn comparison(&mut self) {
        let (to, lhs, rhs) = (self.local(), self.variable(), self.variable());
        match self.rng.u32(..4) {
            0 => self.code.less(to, lhs, rhs),
            1 => self.code.equal(to, lhs, rhs),
            2 => self.code.not_equal(to, lhs, rhs),
            _ => self.code.greater_equal(to, lhs, rhs),
        };
    }

    fn jump_unless(&mut self, target: Label) {
        let (lhs, rhs, constant) = (self.variable(), self.variable(), self.constant());
        match self.rng.u32(..8) {
            0 => self.code.jump_if_false(lhs, target),
            1 => self.code.jump_if_not_less(lhs, rhs, target),
            2 => self.code.jump_if_not_equal(lhs, rhs, target),
            3 => self.code.jump_if_less_equal_constant(lhs, constant, target),
            4 => self.code.jump_if_different_constant(lhs, constant, target),
            5 => self.code.jump_if_certain(lhs, target),
            6 => self.code.jump_if_true(lhs, target),
            _ => self.code.jump_if_greater(lhs, rhs, target),
        };
    }

    fn condition(&mut self) {
        let (otherwise, end) = (self.code.new_label(), self.code.new_label());
        self.jump_unless(otherwise);
        self.statements();
        self.code.jump(end);
        self.code.bind(otherwise);
        if self.rng.bool() {
            self.statements();
        }
        self.code.bind(end);
    }

    /// Runs `body` one loop deeper, with the loop's three registers; false if that is too deep.
    fn looped(&mut self, body: impl FnOnce(&mut Self, Register, LoopIndex, Label)) {
        if self.level >= LEVELS {
            return self.arithmetic();
        }
        let counter = Register(FIRST_COUNTER + 3 * self.level);
        self.level += 1;
        let (header, end) = (self.code.new_label(), self.code.new_label());
        let index = self.code.add_loop(header, end, 1);
        body(self, counter, index, header);
        self.code.bind(end);
        self.level -= 1;
    }

    fn counting_loop(&mut self) {
        let passes = f64::from(self.rng.u32(1..6));
        let is_rotated = self.rng.bool();
        self.looped(|this, counter, index, header| {
            let (zero, one, limit) = (
                this.code.number(0.0),
                this.code.number(1.0),
                this.code.number(passes),
            );
            let end = this.code.new_label();
            this.code.load_constant(counter, zero);
            if is_rotated {
                this.code.jump_if_not_less_constant(counter, limit, end);
                this.code.bind(header);
                this.body(end);
                this.code.add_constant(counter, counter, one);
                this.code
                    .loop_if_less_constant(counter, limit, header, index);
            } else {
                this.code.bind(header);
                this.code.jump_if_not_less_constant(counter, limit, end);
                this.body(end);
                this.code.add_constant(counter, counter, one);
                this.code.loop_back(index, header);
            }
            this.code.bind(end);
        });
    }

    /// Statements that may leave the loop.
    fn body(&mut self, end: Label) {
        self.statements();
        if self.rng.u32(..3) == 0 {
            self.jump_unless(end);
            self.statements();
        }
    }

    fn range_loop(&mut self) {
        self.looped(|this, state, index, header| {
            let (ready, check, end) = (
                this.code.new_label(),
                this.code.new_label(),
                this.code.new_label(),
            );
            let null = this.code.constant(kiln_bytecode::Constant::Null);
            this.code.load_constant(Register(WINDOW), null);
            let (first, last) = (this.rng.i8(-3..4), this.rng.i8(-3..6));
            for (argument, number) in [first, last].into_iter().enumerate() {
                let number = this.code.number(f64::from(number));
                let register = Register(WINDOW + 3 + argument as u16);
                this.code.load_constant(register, number);
            }
            this.code.make_range(state, Register(WINDOW), ready, 2);
            this.code.load_constant(state, null);
            this.code.bind(ready);
            let before = this.code.number(-1.0);
            this.code.load_constant(state.offset(1), before);
            this.code.jump(check);
            this.code.bind(header);
            this.body(end);
            this.code.bind(check);
            let element = this.local();
            this.code.for_loop(element, state, header, index);
            this.code.bind(end);
        });
    }

    fn list_loop(&mut self) {
        self.looped(|this, state, index, header| {
            let (check, end) = (this.code.new_label(), this.code.new_label());
            let list = this.variable();
            this.code.move_register(state, list);
            let before = this.code.number(-1.0);
            this.code.load_constant(state.offset(1), before);
            this.code.jump(check);
            this.code.bind(header);
            this.body(end);
            if this.rng.u32(..3) == 0 {
                this.code.jump(end);
            }
            this.code.bind(check);
            let element = this.local();
            this.code.for_loop(element, state, header, index);
            this.code.bind(end);
        });
    }

    fn element(&mut self) {
        if self.rng.u32(..4) == 0 {
            let list = self.local();
            self.code.new_list(list, 2);
            for _ in 0..self.rng.u32(1..4) {
                let value = self.variable();
                self.code.append(list, value);
            }
            return;
        }
        let (to, list, index) = (self.local(), self.variable(), self.variable());
        self.code.get_index(to, list, index);
    }

    fn set_element(&mut self) {
        let (list, index, value) = (self.variable(), self.variable(), self.variable());
        self.code.settle(value);
        self.code.set_index(list, index, value);
    }

    fn global(&mut self) {
        let global = self.globals[self.rng.usize(1..GLOBALS)];
        if self.rng.bool() {
            let to = self.local();
            self.code.get_global(to, global, ReadMode::PLAIN);
        } else {
            let from = self.variable();
            self.code.set_global(from, global);
        }
    }

    fn call(&mut self) {
        let count = self.rng.u16(..PARAMETERS + 1);
        for argument in 0..count {
            let value = self.variable();
            self.code
                .move_register(Register(WINDOW + 3 + argument), value);
        }
        self.code
            .get_global(Register(WINDOW), self.globals[0], ReadMode::PLAIN);
        let feedback = self.code.call_feedback();
        let to = self.local();
        self.code.call(to, Register(WINDOW), feedback, count as u8);
    }
}
