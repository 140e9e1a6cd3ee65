//! Configuring an interpreter.

use std::any::Any;

use kiln_vm::file_system::FileSystem;
use kiln_vm::host::{Host, Identity, Library};
use kiln_vm::vm::StartError;

use crate::engine::Engine;
use crate::interpreter::Interpreter;
use crate::intrinsic::Intrinsic;
use crate::jit::JitOptions;
use crate::limits::Limits;
use crate::modules::Modules;

/// The configuration of an interpreter; made by [`Engine::interpreter`].
///
/// Without more ado a script may compute, within the default [`Limits`], and nothing else: what it prints goes nowhere, there are no
/// files, programs, environment variables, modules, and no input. Each method here grants something.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use kiln::Engine;
///
/// let engine = Engine::new();
/// let printed = Arc::new(Mutex::new(String::new()));
/// let output = printed.clone();
/// let mut interpreter = engine
///     .interpreter()
///     .output(move |text| output.lock().unwrap().push_str(text))
///     .input(|_prompt| Some("Mallory".to_owned()))
///     .build()?;
/// interpreter.run(&engine.compile("hello.ms", "print \"Hello \" + input(\"Who? \")")?)?;
/// assert_eq!(*printed.lock().unwrap(), "Hello Mallory\n");
/// let error = interpreter.run(&engine.compile("x.ms", "exec \"ls\"")?).unwrap_err();
/// assert_eq!(error.error.to_string(), "running programs is not allowed here");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct InterpreterBuilder {
    pub(crate) engine: Engine,
    pub(crate) limits: Limits,
    pub(crate) intrinsics: Vec<Intrinsic>,
    pub(crate) data: Option<Box<dyn Any + Send>>,
    pub(crate) implicit: Option<Output>,
    pub(crate) jit: JitOptions,
    services: Services,
    host: Option<Box<dyn Host>>,
}

pub(crate) type Output = Box<dyn FnMut(&str) + Send>;
type Input = Box<dyn FnMut(&str) -> Option<String> + Send>;
type Loader = Box<dyn FnMut(&str, &[String]) -> Option<Library> + Send>;

/// The environment variable that says where `import` looks for modules.
const IMPORT_PATH: &str = "MS_IMPORT_PATH";

/// What the builder's closures grant.
#[derive(Default)]
struct Services {
    output: Option<Output>,
    errors: Option<Output>,
    input: Option<Input>,
    files: Option<Box<dyn FileSystem>>,
    modules: Option<Loader>,
    /// The modules among the files.
    module_files: Modules,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    exec: bool,
    identity: Option<Identity>,
}

impl Host for Services {
    fn write_output(&mut self, text: &str) {
        if let Some(output) = &mut self.output {
            output(text);
        }
    }

    fn write_error(&mut self, text: &str) {
        if let Some(errors) = &mut self.errors {
            errors(text);
        }
    }

    fn read_line(&mut self, prompt: &str) -> Option<String> {
        self.input.as_mut()?(prompt)
    }

    fn allows_exec(&self) -> bool {
        self.exec
    }

    fn files(&mut self) -> Option<&mut dyn FileSystem> {
        match &mut self.files {
            Some(files) => Some(&mut **files),
            None => None,
        }
    }

    fn environment(&self) -> Vec<(String, String)> {
        let mut entries = self.environment.clone();
        if self.files.is_some() && !entries.iter().any(|(name, _)| name == IMPORT_PATH) {
            entries.push((IMPORT_PATH.into(), ".".into()));
        }
        entries
    }

    fn load_library(&mut self, name: &str, candidates: &[String]) -> Option<Library> {
        match (&mut self.modules, &mut self.files) {
            (Some(load), _) => load(name, candidates),
            (None, Some(files)) => self.module_files.load(&mut **files, name, candidates),
            (None, None) => None,
        }
    }

    fn script_arguments(&self) -> Vec<String> {
        self.arguments.clone()
    }

    fn identity(&self) -> Identity {
        let identity = self.identity.clone();
        identity.unwrap_or_else(|| kiln_vm::host::NoHost.identity())
    }
}

impl InterpreterBuilder {
    pub(crate) fn new(engine: Engine) -> InterpreterBuilder {
        InterpreterBuilder {
            engine,
            limits: Limits::default(),
            intrinsics: Vec::new(),
            data: None,
            implicit: None,
            jit: JitOptions::default(),
            services: Services::default(),
            host: None,
        }
    }

    /// Sets the limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets when and how code is compiled.
    pub fn jit(mut self, options: JitOptions) -> Self {
        self.jit = options;
        self
    }

    /// Where standard output goes: what `print` writes, line ends included.
    pub fn output(mut self, output: impl FnMut(&str) + Send + 'static) -> Self {
        self.services.output = Some(Box::new(output));
        self
    }

    /// Where implicit output goes: the results of lines in an interactive session, without line ends. Without this they go to
    /// standard output, with line ends.
    pub fn implicit_output(mut self, output: impl FnMut(&str) + Send + 'static) -> Self {
        self.implicit = Some(Box::new(output));
        self
    }

    /// Where error output goes: warnings, line ends included. Errors that end a script are results in Rust, not output.
    pub fn error_output(mut self, output: impl FnMut(&str) + Send + 'static) -> Self {
        self.services.errors = Some(Box::new(output));
        self
    }

    /// Grants `input`: the function is given the prompt and returns a line, none at the end of the input.
    pub fn input(mut self, input: impl FnMut(&str) -> Option<String> + Send + 'static) -> Self {
        self.services.input = Some(Box::new(input));
        self
    }

    /// Grants `exec`: scripts may run any program, as the user who runs this one. Not for scripts from anywhere.
    pub fn exec(mut self) -> Self {
        self.services.exec = true;
        self
    }

    /// Grants environment variables: the entries with which the map `env` begins.
    pub fn environment(mut self, entries: impl IntoIterator<Item = (String, String)>) -> Self {
        self.services.environment = entries.into_iter().collect();
        self
    }

    /// Grants files, to work with and, unless [`modules`](InterpreterBuilder::modules) says otherwise, to import as modules: those in the
    /// current folder, or where the environment's `MS_IMPORT_PATH` says. There are [`MemoryFiles`](crate::MemoryFiles), the
    /// [`FolderFiles`](crate::FolderFiles) below one folder, and all the [`SystemFiles`](crate::SystemFiles), which are not for
    /// scripts from anywhere.
    ///
    /// ```
    /// use kiln::{Engine, MemoryFiles};
    ///
    /// let engine = Engine::new();
    /// let files = MemoryFiles::new();
    /// files.write("/shapes.ms", "square = function(side)\nreturn side ^ 2\nend function")?;
    /// let mut interpreter = engine.interpreter().files(files.clone()).build()?;
    /// let program = "import \"shapes\"\nfile.writeLines \"area.txt\", shapes.square(3)";
    /// interpreter.run(&engine.compile("x.ms", program)?)?;
    /// assert_eq!(files.read("area.txt")?, b"9\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn files(mut self, files: impl FileSystem + 'static) -> Self {
        self.services.files = Some(Box::new(files));
        self
    }

    /// Grants `import`: the function is given the name of a module, and returns its code if there is such a module. The same module
    /// should come back as the same code, since each new one takes memory for good.
    ///
    /// ```
    /// use kiln::{CompileOptions, Engine, Library, compile};
    ///
    /// let engine = Engine::new();
    /// let options = CompileOptions { module: Some("greeting.ms".into()), ..CompileOptions::default() };
    /// let greeting = compile("greeting.ms", b"text = \"Hello\"", options)?;
    /// let mut interpreter = engine
    ///     .interpreter()
    ///     .modules(move |name| (name == "greeting").then(|| Library::Code(greeting.clone())))
    ///     .build()?;
    /// interpreter.run(&engine.compile("x.ms", "import \"greeting\"\ntext = greeting.text")?)?;
    /// assert_eq!(interpreter.global::<String>("text")?, "Hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn modules(
        mut self,
        mut load: impl FnMut(&str) -> Option<Library> + Send + 'static,
    ) -> Self {
        self.services.modules = Some(Box::new(move |name, _candidates| load(name)));
        self
    }

    /// Sets what `shellArgs` is.
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = String>) -> Self {
        self.services.arguments = arguments.into_iter().collect();
        self
    }

    /// Sets what the map `version` says of the host.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.services.identity = Some(identity);
        self
    }

    /// Uses this in place of everything that the methods for output, input and grants set: the whole interface to the surrounding
    /// program in one piece.
    pub fn host(mut self, host: impl Host + 'static) -> Self {
        self.host = Some(Box::new(host));
        self
    }

    /// Defines an intrinsic.
    pub fn intrinsic(mut self, intrinsic: Intrinsic) -> Self {
        self.intrinsics.push(intrinsic);
        self
    }

    /// Defines several intrinsics.
    pub fn intrinsics(mut self, intrinsics: impl IntoIterator<Item = Intrinsic>) -> Self {
        self.intrinsics.extend(intrinsics);
        self
    }

    /// Keeps something of the host's with the interpreter, where intrinsics find it: see [`Call::data`](crate::Call::data).
    pub fn data<T: Any + Send>(mut self, data: T) -> Self {
        self.data = Some(Box::new(data));
        self
    }

    /// Makes the interpreter.
    ///
    /// # Errors
    /// The system refuses memory, or the limits leave no room to begin with.
    pub fn build(mut self) -> Result<Interpreter, StartError> {
        let host = match self.host.take() {
            Some(host) => host,
            None => Box::new(std::mem::take(&mut self.services)),
        };
        Interpreter::configured(self, host)
    }
}
