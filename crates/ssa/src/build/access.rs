//! Elements and members.

use kiln_bytecode::{Instruction, Op, ReadMode, Register};

use super::Builder;
use crate::ir::{Dependency, Kinds, Node, Representation, ShapeSet, Value};
use crate::job::{MemberAccess, MemberCase, MemberFeedback, Receiver, SiteFeedback};

/// Keys of maps that are compared without looking into containers.
pub(super) const KEYS: Kinds = Kinds::NUMBER.union(Kinds::STRING);

impl<'a> Builder<'a> {
    /// Builds an instruction of this family; false if it is none, or has to be left to the interpreter's form.
    pub(super) fn access(&mut self, op: Op, instruction: Instruction) -> bool {
        match op {
            Op::GetIndex => self.get_index(instruction),
            Op::SetIndex => self.set_index(instruction),
            Op::CallIndex if instruction.flags() == 0 => self.element_to_change(instruction),
            Op::GetMember => {
                let object = self.read(Register(instruction.b()));
                self.get_member(object, instruction)
            }
            Op::SetMember | Op::InitMember => {
                let object = self.read(Register(instruction.a()));
                self.store_member(object, instruction)
            }
            _ => false,
        }
    }

    /// Whether what was indexed here were lists only.
    fn indexes_lists(&self, object: Value, index: Value) -> bool {
        let kinds = self.kinds(object);
        let seen = match self.frame.feedback() {
            SiteFeedback::Container(seen) => *seen == Kinds::LIST,
            _ => false,
        };
        kinds.meets(Kinds::LIST)
            && (seen || kinds == Kinds::LIST)
            && self.kinds(index).meets(Kinds::NUMBER)
    }

    /// The value as a position in a list.
    pub(super) fn index(&mut self, value: Value) -> Value {
        if self.function.ty(value).representation == Representation::I64 {
            return value;
        }
        let value = self.number(value);
        let frame = self.frame_state();
        self.value(Node::F64ToIndex { value, frame })
    }

    /// The position, checked to be one of the list's.
    fn checked_index(&mut self, list: Value, index: Value) -> Value {
        let index = self.index(index);
        let length = self.value(Node::ListLength { list });
        let frame = self.frame_state();
        self.value(Node::CheckBounds {
            index,
            length,
            frame,
        })
    }

    fn get_index(&mut self, instruction: Instruction) -> bool {
        let object = self.read(Register(instruction.b()));
        let index = self.read(Register(instruction.c()));
        match self.element(object, index) {
            Some(element) => self.write(Register(instruction.a()), element),
            None => return false,
        }
        true
    }

    /// `call_index` without arguments, which calls an element only if it is a function.
    fn element_to_change(&mut self, instruction: Instruction) -> bool {
        let object = self.read(Register(instruction.b()).offset(1));
        let index = self.read(Register(instruction.c()));
        let Some(element) = self.element(object, index) else {
            return false;
        };
        let element = self.of_kind(element, Kinds::ANY.without(Kinds::FUNCTION));
        self.deliver_result(instruction, Register(instruction.a()), element);
        true
    }

    /// The element of a list, string or map, as far as it is known which of them it is.
    fn element(&mut self, object: Value, index: Value) -> Option<Value> {
        if self.indexes_lists(object, index) {
            let list = self.of_kind(object, Kinds::LIST);
            let index = self.checked_index(list, index);
            let elements = self.value(Node::ListElements { list });
            return Some(self.value(Node::LoadElement { elements, index }));
        }
        let object_kinds = self.indexed_kinds(object);
        if object_kinds == Kinds::STRING && self.kinds(index).meets(Kinds::NUMBER) {
            return Some(self.character_at(object, index));
        }
        let map = self.keyed_map(object, index)?;
        let key = self.key(index);
        let frame = self.frame_state();
        let element = self.value(Node::FindElement { map, key, frame });
        self.assume(element, Kinds::ANY.without(Kinds::UNASSIGNED));
        Some(element)
    }

    /// What an object that is indexed here can be, as far as types and feedback say.
    fn indexed_kinds(&self, object: Value) -> Kinds {
        match self.frame.feedback() {
            SiteFeedback::Container(seen) => self.kinds(object).intersection(*seen),
            _ => Kinds::NONE,
        }
    }

    /// The object, if it is indexed as a map whose keys are numbers and strings.
    fn keyed_map(&mut self, object: Value, key: Value) -> Option<Value> {
        let is_map = self.indexed_kinds(object) == Kinds::MAP;
        (is_map && self.kinds(key).meets(KEYS)).then(|| self.of_kind(object, Kinds::MAP))
    }

    /// The value as a key of a map.
    pub(super) fn key(&mut self, value: Value) -> Value {
        let key = self.of_kind(value, KEYS);
        self.tagged(key)
    }

    fn set_index(&mut self, instruction: Instruction) -> bool {
        let object = self.read(Register(instruction.a()));
        let index = self.read(Register(instruction.b()));
        if !self.indexes_lists(object, index) {
            return self.set_key(object, index, instruction);
        }
        let list = self.of_kind(object, Kinds::LIST);
        let frame = self.frame_state();
        let list = self.value(Node::GuardWritable { list, frame });
        let index = self.checked_index(list, index);
        let elements = self.value(Node::ListElements { list });
        let value = self.read(Register(instruction.c()));
        let value = self.tagged(value);
        self.effect(Node::StoreElement {
            list,
            elements,
            index,
            value,
        });
        true
    }

    fn set_key(&mut self, object: Value, index: Value, instruction: Instruction) -> bool {
        let Some(map) = self.keyed_map(object, index) else {
            return false;
        };
        let key = self.key(index);
        let value = self.read(Register(instruction.c()));
        let value = self.tagged(value);
        let frame = self.frame_state();
        self.effect(Node::StoreKey {
            map,
            key,
            value,
            frame,
        });
        self.check_validity();
        true
    }

    /// The map, checked to have one of these shapes.
    pub(super) fn of_shape(&mut self, map: Value, shapes: ShapeSet) -> Value {
        let map = self.tagged(map);
        let frame = self.frame_state();
        let checked = self.value(Node::GuardShape {
            map,
            shapes: shapes.clone(),
            frame,
        });
        self.shapes.insert(map, shapes.clone());
        self.shapes.insert(checked, shapes);
        self.refine(map, checked);
        checked
    }

    /// How a member was reached here, if all ways are known.
    fn closed_feedback(&self) -> Option<&'a MemberFeedback> {
        match self.frame.feedback() {
            SiteFeedback::Member(member) => (!member.is_open).then_some(member),
            _ => None,
        }
    }

    /// The map, checked to be a hash table without a member of the current instruction's name.
    pub(super) fn of_dictionary(&mut self, map: Value) -> Option<Value> {
        let feedback = usize::from(self.frame.instruction().c());
        let name = self.frame.input.block.feedback.get(feedback)?.key;
        let name = self.pool_constant(name);
        let map = self.tagged(map);
        let frame = self.frame_state();
        let checked = self.value(Node::GuardDictionary { map, name, frame });
        self.refine(map, checked);
        Some(checked)
    }

    /// How many slots a map has inside, as far as it was made here.
    fn known_room(&self, map: Value) -> u32 {
        match self.function.defining_node(map) {
            Some(Node::NewMap { room, .. } | Node::NewInstance { room, .. }) => *room as u32,
            _ => 0,
        }
    }

    /// The member of an object that is a proper receiver.
    pub(super) fn load_member(&mut self, object: Value, access: MemberAccess) -> Option<Value> {
        match access {
            MemberAccess::Own(mut slot) => {
                slot.is_inside |= slot.number < self.known_room(object);
                let value = self.value(Node::LoadSlot { map: object, slot });
                self.assume(value, Kinds::ANY.without(Kinds::UNASSIGNED));
                Some(value)
            }
            MemberAccess::Inherited {
                holder,
                slot,
                value,
            } => {
                self.function.depend_on(Dependency::Prototypes);
                if let Some(constant) = value {
                    let dependency = Dependency::ConstantSlot(holder, slot);
                    self.function.depend_on(dependency);
                    return Some(match self.job.constants[constant].number {
                        Some(number) => self.number_constant(number),
                        None => self.constant(constant),
                    });
                }
                let map = self.constant(holder);
                let value = self.value(Node::LoadSlot { map, slot });
                self.assume(value, Kinds::ANY.without(Kinds::UNASSIGNED));
                Some(value)
            }
            MemberAccess::Add(..) => None,
        }
    }

    fn get_member(&mut self, object: Value, instruction: Instruction) -> bool {
        let Some(member) = self.closed_feedback() else {
            return false;
        };
        let is_add = |case: &MemberCase| matches!(case.access, MemberAccess::Add(..));
        if member.cases.iter().any(is_add) {
            return false;
        }
        self.by_cases(object, member, instruction, Self::load_case)
    }

    /// Loads a member of an object of this case into the current instruction's destination.
    fn load_case(
        &mut self,
        object: Value,
        access: MemberAccess,
        member: &MemberFeedback,
        instruction: Instruction,
    ) -> bool {
        let mode = ReadMode(instruction.flags());
        let Some(value) = self.load_member(object, access) else {
            return false;
        };
        if mode.has(ReadMode::INVOKE) && self.call_method_in_place(value, object, &[], instruction)
        {
            return true;
        }
        let receiver = super::call::Receiver {
            object,
            parent: self.parent_of(access),
        };
        self.settle_with(
            value,
            instruction,
            mode,
            Some(&member.calls),
            Some(receiver),
        )
    }

    /// Stores a member as it was always stored here.
    pub(super) fn store_member(&mut self, object: Value, instruction: Instruction) -> bool {
        let Some(member) = self.closed_feedback() else {
            return false;
        };
        let is_stored = |case: &MemberCase| {
            matches!(case.receiver, Receiver::Shape(_))
                && !matches!(case.access, MemberAccess::Inherited { .. })
        };
        member.cases.iter().all(is_stored)
            && self.by_cases(object, member, instruction, Self::store_case)
    }

    fn store_case(
        &mut self,
        map: Value,
        access: MemberAccess,
        _member: &MemberFeedback,
        instruction: Instruction,
    ) -> bool {
        let value = self.read(Register(instruction.b()));
        let value = self.tagged(value);
        match access {
            MemberAccess::Own(mut slot) => {
                slot.is_inside |= slot.number < self.known_room(map);
                self.effect(Node::StoreSlot { map, slot, value });
            }
            MemberAccess::Add(mut slot, shape) => {
                slot.is_inside |= slot.number < self.known_room(map);
                let frame = self.frame_state();
                self.effect(Node::AddSlot {
                    map,
                    slot,
                    value,
                    shape,
                    frame,
                });
                self.shapes.insert(map, shape.into());
            }
            MemberAccess::Inherited { .. } => return false,
        }
        true
    }
}
