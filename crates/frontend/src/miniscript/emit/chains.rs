//! Members, elements, slices; list and map literals.

use kiln_bytecode::{Position, ReadMode, Register};

use super::super::ast::{Expr, ExprKind, Literal, MapEntry, Read, Selector, Step, StepKind};
use super::super::names::Name;
use super::FunctionEmitter;
use super::quiet::{InvokeBody, Operand, is_operand};
use super::variables::Place;

impl<'a> FunctionEmitter<'a> {
    /// `base.a[b]…`
    pub(super) fn chain(
        &mut self,
        base: &'a Expr,
        steps: &'a [Step],
        dst: Option<Register>,
    ) -> Register {
        let dst = dst.unwrap_or_else(|| self.temporary());
        let mark = self.next_temporary;
        // The deprecation warning does not concern a variable that is only the base of a member.
        let assigning = self.assigning;
        let mut current = Current::Expr(base);
        for (index, step) in steps.iter().enumerate() {
            let result = if index + 1 == steps.len() {
                dst
            } else {
                self.temporary()
            };
            let inner = self.next_temporary;
            self.step(current, step, result, assigning);
            self.next_temporary = inner;
            current = Current::Value(result);
        }
        self.next_temporary = mark;
        dst
    }

    /// Evaluates what a step is applied to.
    fn current(&mut self, current: Current<'a>, dst: Option<Register>) -> Register {
        match current {
            Current::Value(register) => register,
            Current::Expr(expr) => {
                let assigning = self.assigning;
                if let ExprKind::Variable {
                    read: Read::Invoke | Read::Deferred,
                    ..
                } = expr.kind
                {
                    self.assigning = None;
                }
                let register = match self.self_register(expr) {
                    Some(register) => register,
                    None => self.value(expr, dst),
                };
                self.assigning = assigning;
                register
            }
        }
    }

    fn current_to(&mut self, current: Current<'a>, dst: Register) {
        self.scratch(|this| {
            let register = this.current(current, Some(dst));
            if register != dst {
                this.builder.move_register(dst, register);
            }
        });
    }

    /// The register of this call's `self`, if the expression is `self` where it is not called. It may be unassigned; instructions
    /// that take it as an object know what to do then.
    fn self_register(&self, expr: &Expr) -> Option<Register> {
        match expr.kind {
            ExprKind::Variable {
                name,
                read: Read::Deferred,
            } if self.place(name) == Place::SelfValue => Some(Register::SELF),
            _ => None,
        }
    }

    /// An object operand: a local stays where it is.
    fn object(&mut self, current: Current<'a>) -> Operand<'a> {
        if let Current::Expr(expr) = current
            && let Some(local) = self.as_local(expr)
        {
            // What is being assigned does not concern the base of a member.
            return match local {
                Operand::Global(register, name, _) => {
                    Operand::Global(register, name, ReadMode::INVOKE)
                }
                local => local,
            };
        }
        Operand::Value(self.current(current, None))
    }

    /// `self` by itself may be unassigned; where an instruction does not know about that, it is read.
    fn is_unread_self(&self, current: Current<'a>) -> bool {
        matches!(current, Current::Expr(expr) if self.self_register(expr).is_some())
    }

    fn step(
        &mut self,
        current: Current<'a>,
        step: &'a Step,
        dst: Register,
        assigning: Option<(Name, ReadMode)>,
    ) {
        self.assigning = assigning;
        match &step.kind {
            StepKind::Slice { from, to } => {
                let bounds = self.temporaries(2);
                let object = self.temporary();
                self.evaluate_object(current, object);
                self.bound(from.as_deref(), Literal::Number(0.0), bounds);
                self.bound(to.as_deref(), Literal::Null, bounds.offset(1));
                self.builder.slice(dst, object, bounds);
            }
            StepKind::Select {
                selector: Selector::Member(name),
                read,
            } => self.member(current, *name, read, dst),
            StepKind::Select {
                selector: Selector::Index(index),
                read,
            } => self.element(current, index, read, dst),
        }
    }

    /// Evaluates an object into a register, `self` as its value.
    fn evaluate_object(&mut self, current: Current<'a>, dst: Register) {
        if self.is_unread_self(current) {
            self.builder.get_self(dst);
        } else {
            self.current_to(current, dst);
        }
    }

    fn bound(&mut self, expr: Option<&'a Expr>, default: Literal, dst: Register) {
        match expr {
            Some(expr) => self.value_to(expr, dst),
            None => self.load_literal(dst, default),
        }
    }

    fn member(&mut self, current: Current<'a>, name: Name, read: &'a Read, dst: Register) {
        if let Current::Expr(expr) = current
            && let ExprKind::Variable {
                name: base,
                read: Read::Deferred | Read::Invoke,
            } = expr.kind
            && Some(base) == self.context.special.super_
        {
            match read {
                Read::Call(arguments) => {
                    return self.call_super(base, expr.span.start, name, arguments, dst);
                }
                Read::Invoke => return self.call_super(base, expr.span.start, name, &[], dst),
                Read::Plain | Read::Deferred => {}
            }
        }
        if let Current::Expr(Expr {
            kind: ExprKind::Literal(Literal::Null),
            ..
        }) = current
            && !matches!(read, Read::Call(_))
        {
            // Only of the literal; looking a member up in any other null is an error.
            self.load_null(dst);
            return;
        }
        if let Current::Expr(container) = current
            && self.is_globals(container)
            && !matches!(read, Read::Call(_))
        {
            self.get_global_member(dst, name, matches!(read, Read::Invoke));
            return;
        }
        match read {
            Read::Call(arguments) => {
                self.call_member(
                    |this, slot| this.current_to(current, slot),
                    name,
                    arguments,
                    dst,
                );
            }
            _ => {
                let invoke = matches!(read, Read::Invoke);
                let object = self.object(current);
                let position = self.get_member_op(dst, object.register(), name, invoke);
                if object.is_unsettled() {
                    self.add_invoke_path(
                        vec![position],
                        InvokeBody::Member {
                            dst,
                            object,
                            name,
                            invoke,
                        },
                    );
                }
            }
        }
    }

    pub(super) fn get_member_op(
        &mut self,
        dst: Register,
        object: Register,
        name: Name,
        invoke: bool,
    ) -> Position {
        let feedback = self.builder.member_feedback(self.text(name));
        let mode = if invoke {
            ReadMode::INVOKE
        } else {
            ReadMode::PLAIN
        };
        self.builder.get_member(dst, object, feedback, mode)
    }

    fn element(&mut self, current: Current<'a>, index: &'a Expr, read: &'a Read, dst: Register) {
        match read {
            Read::Call(arguments) => {
                self.call_index(
                    |this, slot| this.evaluate_object(current, slot),
                    index,
                    arguments,
                    dst,
                );
            }
            Read::Invoke => {
                self.call_index(
                    |this, slot| this.evaluate_object(current, slot),
                    index,
                    &[],
                    dst,
                );
            }
            Read::Plain | Read::Deferred => {
                let mut from = Vec::new();
                let (object, index) = self.object_and_index(current, index, &mut from);
                from.push(
                    self.builder
                        .get_index(dst, object.register(), index.register()),
                );
                if object.is_unsettled() || index.is_unsettled() {
                    self.add_invoke_path(from, InvokeBody::Index { dst, object, index });
                }
            }
        }
    }

    /// Container and index of an element. Locals stay where they are if nothing happens in between.
    fn object_and_index(
        &mut self,
        current: Current<'a>,
        index: &'a Expr,
        from: &mut Vec<Position>,
    ) -> (Operand<'a>, Operand<'a>) {
        if self.is_unread_self(current) {
            let object = self.temporary();
            self.builder.get_self(object);
            return (Operand::Value(object), self.inert_operand(index, from));
        }
        if is_operand(self, index) {
            let object = self.object(current);
            return (object, self.inert_operand(index, from));
        }
        let object = self.current(current, None);
        (
            Operand::Value(object),
            Operand::Value(self.value(index, None)),
        )
    }

    /// `container[index] = value` or `container.name = value`, the value given by an expression.
    pub(super) fn assign_element(
        &mut self,
        container: &'a Expr,
        selector: &'a Selector,
        value: &'a Expr,
    ) {
        self.scratch(|this| {
            if let Selector::Member(name) = selector
                && this.is_globals(container)
            {
                let value = this.value(value, None);
                this.set_global_member(*name, value);
                return;
            }
            let assigning = this.assigning.take();
            let current = Current::Expr(container);
            let quiet = is_operand(this, value);
            let mut from = Vec::new();
            match selector {
                Selector::Member(name) => {
                    let object = if quiet {
                        this.object(current)
                    } else {
                        Operand::Value(this.current(current, None))
                    };
                    this.assigning = assigning;
                    let value = this.stored_operand(value, &mut from);
                    this.store_member(object, *name, value, from);
                }
                Selector::Index(index) => {
                    let (object, index) = if quiet {
                        this.object_and_index(current, index, &mut from)
                    } else {
                        let object = this.temporary();
                        this.evaluate_object(current, object);
                        (
                            Operand::Value(object),
                            Operand::Value(this.value(index, None)),
                        )
                    };
                    this.assigning = assigning;
                    let value = this.stored_operand(value, &mut from);
                    this.store_element(object, index, value, from);
                }
            }
        });
    }

    /// The value of an assignment to a member or element. Storing does not call functions, so that a variable has none must be
    /// seen to before.
    fn stored_operand(&mut self, value: &'a Expr, from: &mut Vec<Position>) -> Operand<'a> {
        match self.as_local(value) {
            Some(operand) if operand.is_unsettled() => {
                from.push(self.builder.settle(operand.register()));
                operand
            }
            Some(operand) => operand,
            None => self.inert_operand(value, from),
        }
    }

    /// Whether the expression is the scope map of the global variables: its members are those variables.
    fn is_globals(&self, expr: &Expr) -> bool {
        let ExprKind::Variable {
            name,
            read: Read::Deferred | Read::Invoke,
        } = expr.kind
        else {
            return false;
        };
        Some(name) == self.context.special.globals
            || (self.is_top_level() && self.context.special.is_scope(name))
    }

    fn get_global_member(&mut self, dst: Register, name: Name, invoke: bool) {
        let global = self.builder.global(self.text(name));
        let mode = if invoke {
            ReadMode::INVOKE
        } else {
            ReadMode::PLAIN
        };
        self.builder
            .get_global(dst, global, mode.with(ReadMode::MEMBER));
    }

    fn set_global_member(&mut self, name: Name, value: Register) {
        let global = self.builder.global(self.text(name));
        self.builder.set_global(value, global);
    }

    fn store_member(
        &mut self,
        object: Operand<'a>,
        name: Name,
        value: Operand<'a>,
        mut from: Vec<Position>,
    ) {
        let feedback = self.builder.member_feedback(self.text(name));
        from.push(
            self.builder
                .set_member(object.register(), value.register(), feedback),
        );
        if object.is_unsettled() || value.is_unsettled() {
            self.add_invoke_path(
                from,
                InvokeBody::SetMember {
                    object,
                    name,
                    value,
                },
            );
        }
    }

    fn store_element(
        &mut self,
        object: Operand<'a>,
        index: Operand<'a>,
        value: Operand<'a>,
        mut from: Vec<Position>,
    ) {
        from.push(
            self.builder
                .set_index(object.register(), index.register(), value.register()),
        );
        if object.is_unsettled() || index.is_unsettled() || value.is_unsettled() {
            self.add_invoke_path(
                from,
                InvokeBody::SetIndex {
                    object,
                    index,
                    value,
                },
            );
        }
    }

    /// `container[index] op= value` and `container.name op= value`: container, index and value first, then the old value.
    pub(super) fn update_element(
        &mut self,
        container: &'a Expr,
        selector: &'a Selector,
        invoke: bool,
        op: super::super::ast::ArithmeticOp,
        value: &'a Expr,
    ) {
        self.scratch(|this| {
            if let Selector::Member(name) = selector
                && this.is_globals(container)
            {
                let value = this.value(value, None);
                let old = this.temporary();
                this.get_global_member(old, *name, invoke);
                this.arithmetic_op(op, old, old, value);
                this.set_global_member(*name, old);
                return;
            }
            let object = this.temporary();
            this.evaluate_object(Current::Expr(container), object);
            match selector {
                Selector::Member(name) => {
                    let value = this.value(value, None);
                    let old = this.temporary();
                    this.get_member_op(old, object, *name, invoke);
                    this.arithmetic_op(op, old, old, value);
                    this.store_member(
                        Operand::Value(object),
                        *name,
                        Operand::Value(old),
                        Vec::new(),
                    );
                }
                Selector::Index(index) => {
                    let index_slot = this.temporary();
                    this.value_to(index, index_slot);
                    let value = this.value(value, None);
                    let old = this.temporary();
                    if invoke {
                        this.scratch(|this| {
                            let window = this.window(0);
                            this.builder.move_register(window.offset(1), object);
                            this.builder.call_index(old, window, index_slot, 0);
                        });
                    } else {
                        this.builder.get_index(old, object, index_slot);
                    }
                    this.arithmetic_op(op, old, old, value);
                    this.builder.set_index(object, index_slot, old);
                }
            }
        });
    }

    /// `[a, b, c]`. Deferred elements are read after the others have been evaluated.
    pub(super) fn list(&mut self, elements: &'a [Expr], dst: Option<Register>) -> Register {
        let is_constant = |element: &Expr| matches!(element.kind, ExprKind::Literal(_));
        let in_place = dst.is_none() || elements.iter().all(is_constant);
        let dst = dst.unwrap_or_else(|| self.temporary());
        self.scratch(|this| {
            let list = if in_place { dst } else { this.temporary() };
            let capacity = elements.len().min(usize::from(u16::MAX)) as u16;
            // Evaluating everything first takes a register for each element, so it is done only where it can be seen.
            let has_deferred = elements.iter().any(|element| this.is_deferred(element));
            if has_deferred && elements.len() <= 1000 {
                let values: Vec<Option<Register>> = elements
                    .iter()
                    .map(|element| (!this.is_deferred(element)).then(|| this.value(element, None)))
                    .collect();
                this.builder.new_list(list, capacity);
                for (element, value) in elements.iter().zip(values) {
                    this.scratch(|this| {
                        let value = match value {
                            Some(value) => value,
                            None => this.value(element, None),
                        };
                        this.builder.append(list, value);
                    });
                }
            } else {
                this.builder.new_list(list, capacity);
                for element in elements {
                    this.scratch(|this| {
                        let value = this.value(element, None);
                        this.builder.append(list, value);
                    });
                }
            }
            if list != dst {
                this.builder.move_register(dst, list);
            }
        });
        dst
    }

    /// `{k: v, …}`
    pub(super) fn map(&mut self, entries: &'a [MapEntry], dst: Option<Register>) -> Register {
        let in_place = dst.is_none() || entries.is_empty();
        let dst = dst.unwrap_or_else(|| self.temporary());
        self.scratch(|this| {
            let map = if in_place { dst } else { this.temporary() };
            this.builder
                .new_map(map, entries.len().min(usize::from(u16::MAX)) as u16);
            for entry in entries {
                this.scratch(|this| {
                    if let ExprKind::Literal(Literal::String(key)) = entry.key.kind {
                        let value = this.value(&entry.value, None);
                        let feedback = this.builder.member_feedback(this.text(key));
                        this.builder.init_member(map, value, feedback);
                    } else {
                        let (key, value) = this.settled_operands(&entry.key, &entry.value);
                        this.builder.init_index(map, key, value);
                    }
                });
            }
            if map != dst {
                this.builder.move_register(dst, map);
            }
        });
        dst
    }
}

/// What a step of a chain is applied to.
#[derive(Clone, Copy)]
enum Current<'a> {
    Expr(&'a Expr),
    Value(Register),
}
