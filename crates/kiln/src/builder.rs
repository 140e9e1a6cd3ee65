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
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// use kiln::Limits;
    ///
    /// let small = Limits { heap_bytes: 1 << 20, ..Limits::UNTRUSTED };
    /// let mut interpreter = engine.interpreter().limits(small).build()?;
    /// let bomb = engine.compile("bomb.ms", "list = []\nwhile true\nlist.push \"x\" * 1000\nend while")?;
    /// assert!(interpreter.run(&bomb).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets when and how code is compiled.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// use kiln::JitOptions;
    ///
    /// let mut interpreter = engine.interpreter().jit(JitOptions::off()).build()?;
    /// interpreter.run(&engine.compile("x.ms", "x = 0\nwhile x < 100000\nx += 1\nend while")?)?;
    /// assert_eq!(interpreter.jit_report().compiled, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn jit(mut self, options: JitOptions) -> Self {
        self.jit = options;
        self
    }

    /// Where standard output goes: what `print` writes, line ends included.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// use std::sync::mpsc;
    ///
    /// let (sender, printed) = mpsc::channel();
    /// let mut interpreter = engine.interpreter().output(move |text| sender.send(text.to_owned()).unwrap()).build()?;
    /// interpreter.run(&engine.compile("x.ms", "print 6 * 7")?)?;
    /// assert_eq!(printed.recv()?, "42\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn output(mut self, output: impl FnMut(&str) + Send + 'static) -> Self {
        self.services.output = Some(Box::new(output));
        self
    }

    /// Where implicit output goes: the results of lines in an interactive session, without line ends. Without this they go to
    /// standard output, with line ends.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// use std::sync::mpsc;
    ///
    /// let (sender, results) = mpsc::channel();
    /// let mut interpreter = engine.interpreter().implicit_output(move |text| sender.send(text.to_owned()).unwrap()).build()?;
    /// interpreter.read("6 * 7")?;
    /// assert_eq!(results.recv()?, "42");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn implicit_output(mut self, output: impl FnMut(&str) + Send + 'static) -> Self {
        self.implicit = Some(Box::new(output));
        self
    }

    /// Where error output goes: warnings, line ends included. Errors that end a script are results in Rust, not output.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// use std::sync::mpsc;
    ///
    /// let (sender, warnings) = mpsc::channel();
    /// let mut interpreter = engine.interpreter().error_output(move |text| sender.send(text.to_owned()).unwrap()).build()?;
    /// interpreter.run(&engine.compile("x.ms", "x = 1\nf = function\nx = x + 1\nend function\nf")?)?;
    /// assert!(warnings.recv()?.starts_with("Warning: "));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn error_output(mut self, output: impl FnMut(&str) + Send + 'static) -> Self {
        self.services.errors = Some(Box::new(output));
        self
    }

    /// Grants `input`: the function is given the prompt and returns a line, none at the end of the input.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// let mut answers = vec!["blue", "Ada"];
    /// let mut interpreter = engine.interpreter().input(move |_prompt| answers.pop().map(str::to_owned)).build()?;
    /// interpreter.run(&engine.compile("x.ms", "name = input(\"Name? \")\ncolour = input(\"Colour? \")")?)?;
    /// assert_eq!(interpreter.global::<String>("colour")?, "blue");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn input(mut self, input: impl FnMut(&str) -> Option<String> + Send + 'static) -> Self {
        self.services.input = Some(Box::new(input));
        self
    }

    /// Grants `exec`: scripts may run any program, as the user who runs this one. Not for scripts from anywhere.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # if cfg!(unix) {
    /// let mut interpreter = engine.interpreter().exec().build()?;
    /// interpreter.run(&engine.compile("x.ms", "result = exec(\"echo hello\").output")?)?;
    /// assert_eq!(interpreter.global::<String>("result")?.trim(), "hello");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn exec(mut self) -> Self {
        self.services.exec = true;
        self
    }

    /// Grants environment variables: the entries with which the map `env` begins.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// let entries = [("HOME".to_owned(), "/nowhere".to_owned())];
    /// let mut interpreter = engine.interpreter().environment(entries).build()?;
    /// interpreter.run(&engine.compile("x.ms", "home = env.HOME")?)?;
    /// assert_eq!(interpreter.global::<String>("home")?, "/nowhere");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// let mut interpreter = engine.interpreter().arguments(["x.ms".to_owned(), "--fast".to_owned()]).build()?;
    /// interpreter.run(&engine.compile("x.ms", "option = shellArgs[1]")?)?;
    /// assert_eq!(interpreter.global::<String>("option")?, "--fast");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = String>) -> Self {
        self.services.arguments = arguments.into_iter().collect();
        self
    }

    /// Sets what the map `version` says of the host.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// use kiln::Identity;
    ///
    /// let game = Identity { name: "Pasture".into(), information: "https://example.org".into(), version: 1.5 };
    /// let mut interpreter = engine.interpreter().identity(game).build()?;
    /// interpreter.run(&engine.compile("x.ms", "name = version.hostName")?)?;
    /// assert_eq!(interpreter.global::<String>("name")?, "Pasture");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn identity(mut self, identity: Identity) -> Self {
        self.services.identity = Some(identity);
        self
    }

    /// Uses this in place of everything that the methods for output, input and grants set: the whole interface to the surrounding
    /// program in one piece.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// use kiln::Host;
    ///
    /// struct Quiet;
    ///
    /// impl Host for Quiet {
    ///     fn read_line(&mut self, _prompt: &str) -> Option<String> {
    ///         Some("nothing".into())
    ///     }
    /// }
    ///
    /// let mut interpreter = engine.interpreter().host(Quiet).build()?;
    /// interpreter.run(&engine.compile("x.ms", "print \"hello\"\nanswer = input")?)?;
    /// assert_eq!(interpreter.global::<String>("answer")?, "nothing");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn host(mut self, host: impl Host + 'static) -> Self {
        self.host = Some(Box::new(host));
        self
    }

    /// Defines an intrinsic.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// use kiln::Intrinsic;
    ///
    /// let double = Intrinsic::new("double", |call| Ok(2.0 * call.argument::<f64>(0)?)).parameter("x");
    /// let mut interpreter = engine.interpreter().intrinsic(double).build()?;
    /// interpreter.run(&engine.compile("x.ms", "x = double(21)")?)?;
    /// assert_eq!(interpreter.global::<f64>("x")?, 42.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn intrinsic(mut self, intrinsic: Intrinsic) -> Self {
        self.intrinsics.push(intrinsic);
        self
    }

    /// Defines several intrinsics.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// use kiln::Intrinsic;
    ///
    /// let colours = [("red", 1), ("green", 2)];
    /// let intrinsics = colours.map(|(name, number)| Intrinsic::new(name, move |_| Ok(number)));
    /// let mut interpreter = engine.interpreter().intrinsics(intrinsics).build()?;
    /// interpreter.run(&engine.compile("x.ms", "sum = red + green")?)?;
    /// assert_eq!(interpreter.global::<f64>("sum")?, 3.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn intrinsics(mut self, intrinsics: impl IntoIterator<Item = Intrinsic>) -> Self {
        self.intrinsics.extend(intrinsics);
        self
    }

    /// Keeps something of the host's with the interpreter, where intrinsics find it: see [`Call::data`](crate::Call::data).
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// let mut interpreter = engine.interpreter().data(vec!["kept with the interpreter"]).build()?;
    /// assert_eq!(interpreter.data::<Vec<&str>>().map(|texts| texts.len()), Some(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn data<T: Any + Send>(mut self, data: T) -> Self {
        self.data = Some(Box::new(data));
        self
    }

    /// Makes the interpreter.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// let mut interpreter = engine.interpreter().build()?;
    /// assert!(!interpreter.is_running());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
