//! Scripts see the files that they are given, and no others.

use std::io;

use kiln::{
    Engine, FileInfo, FileStream, FileSystem, FolderFiles, Interpreter, MemoryFiles, OpenOptions,
};

/// Runs a program and gives its variable `result` as text, which is empty for null.
fn run(interpreter: &mut Interpreter, program: &str) -> Result<String, String> {
    let program = format!("{program}\nresult = str(result)");
    let program = Engine::new().compile("test.ms", &program).unwrap();
    interpreter
        .run(&program)
        .map_err(|error| error.to_string())?;
    Ok(interpreter.global("result").unwrap())
}

fn with(files: impl FileSystem + 'static) -> Interpreter {
    Engine::new().interpreter().files(files).build().unwrap()
}

/// What any file system has to do, as a script sees it.
fn works_like_files(interpreter: &mut Interpreter) {
    for (program, expected) in [
        ("result = file.curdir", "/"),
        ("result = file.makedir(\"a\")", "1"),
        ("result = file.makedir(\"a\")", "0"),
        ("result = file.makedir(\"missing/b\")", "0"),
        ("result = file.writeLines(\"a/x.txt\", [1, \"two\"])", "6"),
        ("result = file.readLines(\"/a/x.txt\")", "[\"1\", \"two\"]"),
        ("result = file.readLines(\"a/y.txt\")", ""),
        ("result = file.exists(\"a/../a/./x.txt\")", "1"),
        ("result = file.info(\"a/x.txt\").size", "6"),
        ("result = file.info(\"a/x.txt\").path", "/a/x.txt"),
        ("result = file.info(\"a\").isDirectory", "1"),
        ("result = file.setdir(\"a/x.txt\")", "0"),
        ("result = file.setdir(\"a\")", "1"),
        ("result = file.curdir", "/a"),
        ("result = file.children", "[\"x.txt\"]"),
        ("result = file.copy(\"x.txt\", \"y.txt\")", "1"),
        ("result = file.copy(\"x.txt\", \"./x.txt\")", "0"),
        ("result = file.move(\"y.txt\", \"/z.txt\")", "1"),
        ("result = file.delete(\"/a\")", "0"),
        ("result = file.delete(\"x.txt\")", "1"),
        ("result = file.setdir(\"..\")", "1"),
        ("result = file.delete(\"a\")", "1"),
        ("result = file.children", "[\"z.txt\"]"),
        (
            "f = file.open(\"z.txt\", \"a\")\nf.write \"3\"\nresult = f.position",
            "7",
        ),
        (
            "f.close\nf = file.open(\"z.txt\")\nf.readLine\nresult = f.read",
            "two\n3",
        ),
        ("f.close\nresult = file.open(\"z.txt\", \"wx\")", ""),
        ("result = file.open(\"missing\", \"r\")", ""),
        (
            "file.move \"z.txt\", \"m.ms\"\nfile.writeLines \"m.ms\", \"n = 5\"\nimport \"m\"\nresult = m.n",
            "5",
        ),
    ] {
        assert_eq!(
            run(interpreter, program).as_deref(),
            Ok(expected),
            "{program}"
        );
    }
}

/// A folder for a test.
struct Temporary(std::path::PathBuf);

impl Temporary {
    fn new(name: &str) -> Temporary {
        let path = std::env::temp_dir().join(format!("kiln-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Temporary(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn files_in_memory_work_like_files() {
    works_like_files(&mut with(MemoryFiles::new()));
}

#[test]
fn files_in_a_folder_work_like_files() {
    let folder = Temporary::new("work");
    works_like_files(&mut with(FolderFiles::new(&folder.0).unwrap()));
}

#[test]
fn nothing_leads_out_of_a_folder() {
    let folder = Temporary::new("escape");
    let inside = folder.0.join("inside");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(folder.0.join("secret.txt"), "secret").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink("../secret.txt", inside.join("relative")).unwrap();
        symlink(folder.0.join("secret.txt"), inside.join("absolute")).unwrap();
        symlink("..", inside.join("up")).unwrap();
        symlink("../new.txt", inside.join("new")).unwrap();
    }
    let mut interpreter = with(FolderFiles::new(&inside).unwrap());
    let absolute = folder.0.join("secret.txt");
    let absolute = absolute.to_string_lossy();
    for path in [
        "../secret.txt",
        "/../secret.txt",
        "relative",
        "absolute",
        "up/secret.txt",
        &absolute,
    ] {
        let program = format!("result = [file.readLines(\"{path}\"), file.info(\"{path}\")]");
        assert_eq!(
            run(&mut interpreter, &program).as_deref(),
            Ok("[null, null]"),
            "{path}"
        );
    }
    let program = "file.writeLines \"new\", 1\nfile.writeLines \"up/new.txt\", 1\nresult = [file.setdir(\"up\"), file.move(\"up/secret.txt\", \"s\"), file.delete(\"up/secret.txt\"), file.children(\"up\")]";
    assert_eq!(
        run(&mut interpreter, program).as_deref(),
        Ok("[0, 0, 0, []]")
    );
    let mut outside: Vec<_> = std::fs::read_dir(&folder.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    outside.sort();
    assert_eq!(outside, ["inside", "secret.txt"]);
}

#[test]
fn memory_is_bounded() {
    let files = MemoryFiles::with_limit(100_000);
    let mut interpreter = with(files.clone());
    let program = "result = 0\nwhile file.writeLines(\"f\" + result, \"x\" * 1000) != null\nresult += 1\nend while";
    let written: usize = run(&mut interpreter, program).unwrap().parse().unwrap();
    assert!((50..100).contains(&written), "{written} files");
    let program = "result = 0\nwhile file.makedir(\"d\" + result)\nresult += 1\nend while\nresult = result < 100";
    assert_eq!(run(&mut interpreter, program).as_deref(), Ok("1"));
    // What is deleted makes room, once it is closed.
    let program = "for name in file.children\nfile.delete name\nend for\nresult = file.writeLines(\"big\", \"x\" * 90000)";
    assert_eq!(run(&mut interpreter, program).as_deref(), Ok("90001"));
}

#[test]
fn folders_move_with_what_is_in_them() {
    let files = MemoryFiles::new();
    files.write("/a/b/c.txt", "deep").unwrap();
    files.write("/ab.txt", "neighbour").unwrap();
    let mut interpreter = with(files.clone());
    let program = "result = [file.move(\"a\", \"a/b/a\"), file.move(\"a\", \"z\"), file.exists(\"a\"), file.children]";
    assert_eq!(
        run(&mut interpreter, program).as_deref(),
        Ok("[0, 1, 0, [\"ab.txt\", \"z\"]]")
    );
    assert_eq!(files.read("/z/b/c.txt").unwrap(), b"deep");
}

/// A file system of a host that has an error.
struct Faulty;

impl FileSystem for Faulty {
    fn current_folder(&self) -> io::Result<String> {
        panic!("no folder")
    }
    fn set_current_folder(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }
    fn list(&self, _: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
    fn info(&self, _: &str) -> io::Result<FileInfo> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn open(&mut self, _: &str, _: OpenOptions) -> io::Result<Box<dyn FileStream>> {
        Ok(Box::new(Broken))
    }
    fn make_folder(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }
    fn rename(&mut self, _: &str, _: &str) -> io::Result<()> {
        Ok(())
    }
    fn remove(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

struct Broken;

impl io::Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        panic!("broken")
    }
}

impl io::Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("broken")
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Seek for Broken {
    fn seek(&mut self, _: io::SeekFrom) -> io::Result<u64> {
        panic!("broken")
    }
}

#[test]
fn panics_of_a_file_system_end_the_script() {
    let mut interpreter = with(Faulty);
    for (program, message) in [
        ("result = file.curdir", "no folder"),
        ("result = file.readLines(\"x\")", "broken"),
        ("result = file.open(\"x\").readLine", "broken"),
        ("result = file.open(\"x\").position", "broken"),
        ("f = file.open(\"x\")\nf.write \"x\"\nf.close", "broken"),
    ] {
        let error = run(&mut interpreter, program).unwrap_err();
        assert!(
            error.contains("the host panicked") && error.contains(message),
            "{program}: {error}"
        );
    }
}
