//! The `kiln` program.
use kiln::*;
use std::io::Write;
struct Out;
impl Host for Out {
    fn write_output(&mut self, t: &str) {
        std::io::stdout().write_all(t.as_bytes()).ok();
    }
    fn write_error(&mut self, t: &str) {
        eprint!("{t}");
    }
}
fn main() {
    let f = std::env::args().nth(1).unwrap();
    let text = std::fs::read(&f).unwrap();
    let p = match compile(&f, &text, CompileOptions::default()) {
        Ok(p) => p,
        Err(e) => {
            eprintln!("{}", e.render(false));
            std::process::exit(1)
        }
    };
    if std::env::args().nth(2).as_deref() == Some("dump") {
        println!("{p}");
    }
    let mut i = Interpreter::new(Limits::default(), Box::new(Out)).unwrap();
    if let Err(e) = i.run(&p) {
        eprintln!("{e}");
        for p in &e.stack {
            eprintln!("  {p}");
        }
        std::process::exit(1)
    }
}
