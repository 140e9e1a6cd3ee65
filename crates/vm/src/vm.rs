//! The interpreter instance: one script world with its heap, globals, stacks and code.

use std::any::Any;
use std::sync::Arc;

use kiln_bytecode::{CodeBlock, Constant};
use thiserror::Error;

use crate::error::{Fallible, RuntimeError, Throw};
use crate::feedback::{CodeInstance, Countdown, FeedbackCell, parameter_count, variable_count};
use crate::frame::{FrameStack, Limits};
use crate::heap::{Gc, Header, Heap, Kind, Marker, Roots, Survivors};
use crate::host::Host;
use crate::intrinsics::closure::ClosureRow;
use crate::intrinsics::shell::Shell;
use crate::intrinsics::{Intrinsic, IntrinsicTable};
use crate::member_cache::MemberCache;
use crate::object::allocator::Allocator;
use crate::object::function::FunctionCell;
use crate::object::handle::HandleTable;
use crate::object::map::MapCell;
use crate::object::map::globals::Globals;
use crate::object::map::shape::{ShapeId, ShapeTable};
use crate::object::string::{self, StringCell, Strings};
use crate::profile::Profiler;
use crate::rooted::RootTable;
use crate::safepoint::Hooks;
use crate::stack::ScriptStack;
use crate::text::random::Random;
use crate::tier::{self, Tiers};
use crate::value::Value;
use crate::watch::{Dependents, stores_to_globals};

/// The type maps: their members are members of every value of the type.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct TypeMaps {
    pub string: Gc<MapCell>,
    pub list: Gc<MapCell>,
    pub map: Gc<MapCell>,
    pub number: Gc<MapCell>,
    pub function: Gc<MapCell>,
}

/// Interned strings that the runtime itself needs.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Names {
    pub isa: Gc<StringCell>,
    pub key: Gc<StringCell>,
    pub value: Gc<StringCell>,
    pub self_: Gc<StringCell>,
    pub super_: Gc<StringCell>,
    pub empty: Gc<StringCell>,
}

/// One interpreter: a script world of its own.
pub struct Vm {
    pub(crate) heap: Heap,
    pub(crate) shapes: ShapeTable,
    /// Changes whenever something changes that inherited members are looked up by.
    pub(crate) prototype_epoch: u32,
    /// Optimized code that relies on the epoch.
    pub(crate) prototype_dependents: Dependents,
    /// What accesses that see many shapes have found.
    pub(crate) member_cache: MemberCache,
    pub(crate) globals: Globals,
    pub(crate) strings: Strings,
    /// Memory for texts on their way into a string.
    pub(crate) scratch: String,
    pub(crate) frames: FrameStack,
    pub(crate) names: Names,
    pub(crate) types: TypeMaps,
    pub(crate) globals_map: Gc<MapCell>,
    #[expect(clippy::vec_box, reason = "instances are referred to by their address")]
    pub(crate) instances: Vec<Box<CodeInstance>>,
    /// Further values that must live as long as the interpreter or the scope that entered them.
    pub(crate) roots: Vec<Value>,
    pub(crate) intrinsics: IntrinsicTable,
    pub(crate) random: Random,
    pub(crate) host: Box<dyn Host>,
    /// Host objects that handles refer to.
    pub(crate) handles: HandleTable,
    /// What the shell intrinsics keep.
    pub(crate) shell: Shell,
    pub(crate) stack: ScriptStack,
    pub(crate) limits: Limits,
    /// The instances of programs and modules.
    pub(crate) programs: std::collections::HashMap<*const CodeBlock, *const CodeInstance>,
    /// Lines for which the warning about assigning an unqualified local was given.
    pub(crate) warned: std::collections::HashSet<(usize, u32)>,
    pub(crate) started: std::time::Instant,
    /// How the innermost run of the interpreter has just ended.
    pub(crate) outcome: Option<Fallible<Value>>,
    /// Who is told about hot code.
    pub(crate) tiers: Tiers,
    /// Where `print` puts its text together; kept so that it need not be allocated each time.
    pub(crate) print_buffer: String,
    /// How deep imports are nested.
    pub(crate) import_depth: usize,
    /// The values that are referred to from outside.
    pub(crate) rooted: RootTable,
    /// The intrinsics of the host.
    #[expect(clippy::vec_box, reason = "functions refer to them by their address")]
    pub(crate) closures: Vec<Box<ClosureRow>>,
    /// What the host keeps with the interpreter.
    pub(crate) host_data: Option<Box<dyn Any + Send>>,
    /// Who answers requests at safepoints.
    pub(crate) hooks: Hooks,
    /// What is recorded while programs run, if anything is.
    pub(crate) profiler: Option<Box<Profiler>>,
}

impl TypeMaps {
    fn new(cells: &mut impl Allocator, shape: ShapeId) -> Fallible<TypeMaps> {
        let mut map = || MapCell::allocate(cells, shape, TYPE_MAP_SLOTS, 0);
        Ok(TypeMaps {
            string: map()?,
            list: map()?,
            map: map()?,
            number: map()?,
            function: map()?,
        })
    }
}

impl Names {
    fn new(cells: &mut impl Allocator) -> Fallible<Names> {
        Ok(Names {
            isa: string::intern(cells, "__isa")?,
            key: string::intern(cells, "key")?,
            value: string::intern(cells, "value")?,
            self_: string::intern(cells, "self")?,
            super_: string::intern(cells, "super")?,
            empty: string::intern(cells, "")?,
        })
    }
}

/// Room for the methods of a type and some that the program adds.
const TYPE_MAP_SLOTS: usize = 24;

/// Makes the cells that an interpreter needs to exist at all.
struct Bootstrap<'a> {
    heap: &'a mut Heap,
    strings: Strings,
}

impl Allocator for Bootstrap<'_> {
    fn allocate(&mut self, kind: Kind, bytes: usize) -> Fallible<Gc<Header>> {
        match self.heap.allocate_without_collecting(kind, bytes) {
            Some(cell) => Ok(cell),
            None => self.heap.exhausted(),
        }
    }

    fn write_barrier(&mut self, owner: &Header) {
        self.heap.write_barrier(owner);
    }

    fn write_barrier_at(&mut self, owner: &Header, place: *const Value) {
        self.heap.write_barrier_at(owner, place);
    }

    fn abandon(&mut self, row: Gc<Header>) {
        self.heap.abandon(row);
    }

    fn strings(&mut self) -> &mut Strings {
        &mut self.strings
    }
}

/// Why an interpreter could not be made.
#[derive(Debug, Error)]
pub enum StartError {
    /// The system refuses memory for the stacks.
    #[error("no memory for the script's stacks: {0}")]
    Stacks(#[from] std::io::Error),
    /// The heap limit leaves no room for the built-in objects.
    #[error("the heap limit is too small to start")]
    Heap,
}

impl Allocator for Vm {
    #[inline]
    fn allocate(&mut self, kind: Kind, bytes: usize) -> Fallible<Gc<Header>> {
        match self.heap.try_allocate(kind, bytes) {
            Some(cell) => Ok(cell),
            None => self.allocate_slowly(kind, bytes),
        }
    }

    #[inline(always)]
    fn write_barrier(&mut self, owner: &Header) {
        self.heap.write_barrier(owner);
    }

    #[inline(always)]
    fn write_barrier_at(&mut self, owner: &Header, place: *const Value) {
        self.heap.write_barrier_at(owner, place);
    }

    fn abandon(&mut self, row: Gc<Header>) {
        self.heap.abandon(row);
    }

    fn strings(&mut self) -> &mut Strings {
        &mut self.strings
    }
}

/// Everything but the heap, as the collector sees it.
struct World<'a> {
    vm: *mut Vm,
    lifetime: std::marker::PhantomData<&'a mut Vm>,
}

impl World<'_> {
    #[allow(clippy::mut_from_ref)]
    fn vm(&self) -> &mut Vm {
        // SAFETY: made in `Vm::collect`, whose exclusive borrow it stands for; the methods below touch every field but `heap`,
        // which the collector is using.
        unsafe { &mut *self.vm }
    }
}

impl Roots for World<'_> {
    fn trace(&mut self, marker: &mut Marker) {
        let vm = self.vm();
        vm.globals.trace(marker);
        vm.strings.trace(marker);
        vm.intrinsics.trace(marker);
        vm.shell.trace(marker);
        for key in &vm.shapes.keys {
            marker.cell(*key);
        }
        let Names {
            isa,
            key,
            value,
            self_,
            super_,
            empty,
        } = vm.names;
        for name in [isa, key, value, self_, super_, empty] {
            marker.cell(name);
        }
        let TypeMaps {
            string,
            list,
            map,
            number,
            function,
        } = vm.types;
        for map in [string, list, map, number, function, vm.globals_map] {
            marker.cell(map);
        }
        for instance in &vm.instances {
            instance.trace(marker);
        }
        for value in &vm.roots {
            marker.value(*value);
        }
        vm.rooted.trace(marker);
        vm.handles.trace(marker);
        vm.tiers.trace(marker);
        vm.frames.trace(marker);
        vm.stack.trace(marker);
    }

    fn forget_dead(&mut self, survivors: &Survivors) {
        let vm = self.vm();
        vm.strings.forget_dead(survivors);
        vm.shapes.forget_dead(survivors);
        vm.handles.forget_dead(survivors);
        if vm.shapes.wants_recycling() {
            for cell in vm
                .instances
                .iter()
                .flat_map(|instance| instance.feedback.iter())
            {
                cell.forget(&vm.shapes, true);
            }
            vm.member_cache.clear();
            vm.shapes.recycle();
        }
    }
}

impl Vm {
    /// Called when an allocation found a collection due, or no memory. Code outside the script stack has no roots the
    /// collector could find, so there the heap just grows.
    #[cold]
    #[inline(never)]
    fn allocate_slowly(&mut self, kind: Kind, bytes: usize) -> Fallible<Gc<Header>> {
        if self.stack.is_active() {
            let vm: *mut Vm = self;
            let mut world = World {
                vm,
                lifetime: std::marker::PhantomData,
            };
            let cell = self.heap.collect_and_allocate(kind, bytes, &mut world);
            self.drop_dead_objects();
            return cell;
        }
        match self.heap.allocate_without_collecting(kind, bytes) {
            Some(cell) => Ok(cell),
            None => self.heap.exhausted(),
        }
    }

    /// A new cell as [`Allocator::allocate`] makes it, beyond the heap limit if need be: for small cells without which compiled code
    /// could not be left. What is allocated next finds the limit reached.
    pub(crate) fn allocate_beyond_limit(&mut self, kind: Kind, bytes: usize) -> Gc<Header> {
        match self.allocate(kind, bytes) {
            Ok(cell) => cell,
            Err(_) => self.heap.allocate_beyond_limit(kind, bytes),
        }
    }

    /// Collects all garbage. Must run on the script stack.
    pub fn collect_garbage(&mut self) {
        let vm: *mut Vm = self;
        let mut world = World {
            vm,
            lifetime: std::marker::PhantomData,
        };
        self.heap.collect_full(&mut world);
        self.drop_dead_objects();
    }

    /// The heap's statistics and switches.
    pub fn heap(&mut self) -> &mut Heap {
        &mut self.heap
    }

    /// What the host keeps with the interpreter.
    pub fn host_data(&mut self) -> &mut Option<Box<dyn Any + Send>> {
        &mut self.host_data
    }

    /// Exchanges the host and what it keeps with that of another interpreter.
    pub fn exchange_host(&mut self, other: &mut Vm) {
        std::mem::swap(&mut self.host, &mut other.host);
        std::mem::swap(&mut self.host_data, &mut other.host_data);
    }

    /// Assigns the global variable with this interned name.
    pub fn set_global(&mut self, name: Gc<StringCell>, value: Value) -> Fallible<()> {
        let index = self.global_index(name);
        self.globals.assign(index, value);
        Ok(())
    }

    /// The host.
    pub fn host(&mut self) -> &mut dyn Host {
        &mut *self.host
    }

    /// Forgets all cached inherited members.
    #[cold]
    pub(crate) fn forget_inherited_members(&mut self) {
        self.member_cache.clear();
        for cell in self
            .instances
            .iter()
            .flat_map(|instance| instance.feedback.iter())
        {
            cell.forget(&self.shapes, true);
        }
    }

    /// The number of the global variable with this interned name.
    pub fn global_index(&mut self, name: Gc<StringCell>) -> u32 {
        let index = self.globals.index(name);
        let cell = self.globals.cell(index);
        if cell.fallback.get().is_unassigned()
            && let Some(intrinsic) = self.intrinsics.function(name)
        {
            cell.fallback.set(Value::function(intrinsic));
        }
        index
    }

    /// The value of the global variable with this interned name.
    pub fn global(&self, name: Gc<StringCell>) -> Option<Value> {
        self.globals.get_interned(name)
    }

    /// The value of a constant.
    pub(crate) fn constant(&mut self, constant: &Constant) -> Fallible<Value> {
        Ok(match constant {
            Constant::Null => Value::NULL,
            Constant::Number(number) => Value::number(*number),
            Constant::String(text) => Value::string(self.intern(text)?),
        })
    }

    /// Makes an instance of a code block. It lives as long as the interpreter.
    pub fn instantiate(&mut self, block: &Arc<CodeBlock>) -> Fallible<*const CodeInstance> {
        // Values made here are in no place the collector looks at until the instance is registered.
        let watermark = self.roots.len();
        for constant in &block.constants {
            let value = self.constant(constant)?;
            self.roots.push(value);
        }
        let constants: Box<[Value]> = self.roots[watermark..].into();
        for parameter in &block.parameters {
            let value = self.constant(&parameter.default)?;
            self.roots.push(value);
        }
        let defaults: Box<[Value]> = self.roots[watermark + constants.len()..].into();
        let mut globals = Vec::with_capacity(block.globals.len());
        let mut global_numbers = Vec::with_capacity(block.globals.len());
        for name in &block.globals {
            let name = constants[*name as usize]
                .as_string()
                .ok_or_else(|| Throw::message("invalid code block"))?;
            let index = self.global_index(name);
            globals.push(std::cell::Cell::new(self.globals.cell_address(index)));
            global_numbers.push(index);
        }
        for (index, count) in global_numbers.iter().zip(stores_to_globals(block)) {
            self.globals.note_stores(*index, count);
        }
        let feedback = block.feedback.iter().map(|info| FeedbackCell {
            key: match info.kind {
                kiln_bytecode::FeedbackKind::Call => Value::NULL,
                _ => constants[info.key as usize],
            },
            first: std::cell::Cell::new(crate::feedback::CacheEntry::EMPTY),
            others: std::cell::OnceCell::new(),
            megamorphic: std::cell::Cell::new(false),
            last_shape: std::cell::Cell::new(ShapeId::NONE),
            streak: std::cell::Cell::new(0),
            target: std::cell::Cell::new(0),
            targets: std::cell::Cell::new(0),
        });
        let instance = Box::new(CodeInstance {
            instructions: block
                .instructions
                .iter()
                .map(|instruction| std::cell::Cell::new(*instruction))
                .collect(),
            feedback: feedback.collect(),
            globals: globals.into(),
            global_numbers: global_numbers.into(),
            register_count: block.register_count as usize,
            parameter_count: parameter_count(block),
            uses_super: block.uses_super,
            self_parameter: block.self_parameter,
            calls: Countdown::new(self.tiers.first_calls),
            loops: block
                .loops
                .iter()
                .map(|_| Countdown::new(self.tiers.first_passes))
                .collect(),
            sequences: block
                .loops
                .iter()
                .map(|_| std::cell::Cell::new(0))
                .collect(),
            entry: std::cell::Cell::new(tier::interpret),
            loop_entry: std::cell::Cell::new(None),
            optimized_loops: block
                .loops
                .iter()
                .map(|_| std::cell::Cell::new(None))
                .collect(),
            interpreted_parameter_count: std::cell::Cell::new(parameter_count(block)),
            variable_count: variable_count(block),
            functions: block
                .functions
                .iter()
                .map(|_| std::cell::OnceCell::new())
                .collect(),
            static_functions: block
                .functions
                .iter()
                .map(|_| std::cell::Cell::new(Value::NULL))
                .collect(),
            block: block.clone(),
            constants,
            defaults,
        });
        let address: *const CodeInstance = &*instance;
        self.instances.push(instance);
        self.roots.truncate(watermark);
        Ok(address)
    }

    /// The one instance of a program or module, made if there is none yet.
    pub(crate) fn instance_of(&mut self, block: &Arc<CodeBlock>) -> Fallible<*const CodeInstance> {
        // An instance keeps its block, so the address is that of no other one.
        if let Some(known) = self.programs.get(&Arc::as_ptr(block)) {
            return Ok(*known);
        }
        let instance = self.instantiate(block)?;
        self.programs.insert(Arc::as_ptr(block), instance);
        Ok(instance)
    }

    /// The instance of a nested function.
    pub(crate) fn nested_instance(
        &mut self,
        outer: &CodeInstance,
        index: usize,
    ) -> Fallible<*const CodeInstance> {
        if let Some(known) = outer.functions[index].get() {
            return Ok(*known);
        }
        let instance = self.instantiate(&outer.block.functions[index])?;
        Ok(*outer.functions[index].get_or_init(|| instance))
    }

    /// The function value of an intrinsic.
    pub(crate) fn intrinsic_function(
        &mut self,
        intrinsic: &'static Intrinsic,
    ) -> Fallible<Gc<FunctionCell>> {
        FunctionCell::intrinsic(self, intrinsic)
    }

    /// The error of a name that nothing knows.
    #[cold]
    pub(crate) fn undefined<T>(&mut self, name: Gc<StringCell>) -> Fallible<T> {
        Err(RuntimeError::UndefinedIdentifier(self.text_of(name)).into())
    }

    /// The interned string with this text.
    pub fn intern(&mut self, text: &str) -> Fallible<Gc<StringCell>> {
        string::intern(self, text)
    }

    /// The interned string equal to this one.
    #[inline]
    pub fn intern_cell(&mut self, string: Gc<StringCell>) -> Fallible<Gc<StringCell>> {
        if string.is_interned() {
            Ok(string)
        } else {
            string::intern_cell(self, string)
        }
    }

    /// The interned string equal to this one, if there is any.
    #[inline]
    pub fn lookup_interned(&mut self, string: Gc<StringCell>) -> Fallible<Option<Gc<StringCell>>> {
        if string.is_interned() {
            return Ok(Some(string));
        }
        let text = string.flat_str(self)?;
        Ok(self.strings.lookup_interned(text))
    }

    /// A new string.
    pub fn new_string(&mut self, text: &str) -> Fallible<Value> {
        string::new_string(self, text).map(Value::string)
    }

    /// Warns that an assignment reads a variable of its target's name which is no local; once for each line.
    #[cold]
    pub(crate) fn warn_about_nonlocal(
        &mut self,
        name: Gc<StringCell>,
        code: &CodeInstance,
        position: u32,
    ) {
        let line = code.block.line_at(position);
        if !self
            .warned
            .insert((std::ptr::from_ref(&*code.block.origin) as usize, line))
        {
            return;
        }
        let place = match &code.block.origin.module {
            Some(module) => format!("{module} line {line}"),
            None => format!("line {line}"),
        };
        let name = self.text_of(name);
        let warning = format!(
            "Warning: assignment of unqualified local '{name}' based on nonlocal is deprecated [{place}]\n"
        );
        // There is no intrinsic whose error a panic of the host could be.
        let _ = self.ask_host("warning", |host| {
            host.flush();
            host.write_error(&warning);
        });
    }

    /// The text of a string for an error message.
    #[cold]
    pub(crate) fn text_of(&mut self, string: Gc<StringCell>) -> Box<str> {
        match string.flat_str(self) {
            Ok(text) => text.into(),
            Err(_) => "…".into(),
        }
    }
}

impl Vm {
    /// A new interpreter.
    ///
    /// # Errors
    /// The system refuses memory for the stacks, or the heap limit is too small to begin with.
    pub fn new(limits: Limits, host: Box<dyn Host>) -> Result<Box<Vm>, StartError> {
        let mut heap = Heap::new(crate::object::TRACER, limits.heap_bytes);
        let frames = FrameStack::new(limits.stack_registers)?;
        let mut shapes = ShapeTable::new();
        let mut cells = Bootstrap {
            heap: &mut heap,
            strings: Strings::new(),
        };
        let names = Names::new(&mut cells).map_err(|_| StartError::Heap)?;
        let types =
            TypeMaps::new(&mut cells, shapes.root(TYPE_MAP_SLOTS)).map_err(|_| StartError::Heap)?;
        let globals_map = MapCell::allocate_globals(&mut cells).map_err(|_| StartError::Heap)?;
        let strings = cells.strings;
        let mut vm = Box::new(Vm {
            scratch: String::new(),
            heap,
            shapes,
            prototype_epoch: 1,
            prototype_dependents: Dependents::default(),
            member_cache: MemberCache::default(),
            globals: Globals::new(),
            strings,
            frames,
            names,
            types,
            globals_map,
            instances: Vec::new(),
            roots: Vec::new(),
            intrinsics: IntrinsicTable::default(),
            random: Random::new(),
            host,
            handles: HandleTable::default(),
            shell: Shell::default(),
            stack: ScriptStack::default(),
            limits,
            programs: std::collections::HashMap::new(),
            warned: std::collections::HashSet::new(),
            started: std::time::Instant::now(),
            outcome: None,
            tiers: Tiers::default(),
            print_buffer: String::new(),
            import_depth: 0,
            rooted: RootTable::default(),
            closures: Vec::new(),
            host_data: None,
            hooks: Hooks::default(),
            profiler: None,
        });
        for map in [
            types.string,
            types.list,
            types.map,
            types.number,
            types.function,
        ] {
            vm.make_prototype(map);
        }
        vm.install_intrinsics().map_err(|_| StartError::Heap)?;
        Ok(vm)
    }
}
