//! Errors know the expression they happened in, in every tier.

use kiln::{CompileOptions, Engine, JitOptions, ScriptError, SourceSpan, Tier, compile};

/// The part of a text that a span names.
fn excerpt(text: &str, span: SourceSpan) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let (first, last) = (span.line as usize - 1, span.end_line as usize - 1);
    let column = |column: u32| column as usize - 1;
    if first == last {
        let characters = lines[first].chars().skip(column(span.column));
        let length = (span.end_column - span.column) as usize;
        return characters.take(length).collect();
    }
    let mut parts = vec![lines[first].chars().skip(column(span.column)).collect()];
    parts.extend(lines[first + 1..last].iter().map(|line| (*line).to_owned()));
    parts.push(lines[last].chars().take(column(span.end_column)).collect());
    parts.join("\n")
}

fn error(program: &str, options: JitOptions) -> ScriptError {
    let engine = Engine::new();
    let mut interpreter = engine.interpreter().jit(options).build().unwrap();
    let program = engine.compile("test", program).unwrap();
    interpreter.run(&program).unwrap_err()
}

/// The texts of the expressions on the stack, innermost first; the same in all tiers.
fn stack(program: &str) -> Vec<String> {
    let texts = |options| {
        let error = error(program, options);
        let positions = error.stack.iter();
        let texts: Vec<String> = positions
            .map(|position| excerpt(program, position.span.unwrap()))
            .collect();
        texts
    };
    let expected = texts(JitOptions::off());
    assert_eq!(texts(JitOptions::immediate()), expected, "{program}");
    let optimizing = JitOptions {
        tier: Tier::Optimizing,
        ..JitOptions::immediate()
    };
    assert_eq!(texts(optimizing), expected, "{program}");
    expected
}

#[test]
fn the_innermost_expression_is_named() {
    for (program, expected) in [
        ("x = 1\ny = x + nosuch * 2", "nosuch"),
        ("list = [1]\ny = 1 + list[10] * 2", "list[10]"),
        ("list = [1]\nif list[10] == 1 then x = 2", "list[10]"),
        ("list = [1]\nwhile list[10] > 1\nend while", "list[10]"),
        ("list = [1]\nfor i in list[7]\nend for", "list[7]"),
        ("m = {}\nm.a.b.c = 1", "m.a.b"),
        ("print [1, 2,\n  nosuch]", "nosuch"),
        ("ä = \"€😀\" + nosuch", "nosuch"),
        ("f = function(a)\nend function\nf 1, 2", "f 1, 2"),
        ("x = [1]\nx.push(nosuch)", "nosuch"),
        ("if true then x = 1 + nosuch else x = 2", "nosuch"),
        ("return -nosuch", "nosuch"),
    ] {
        assert_eq!(stack(program), [expected], "{program}");
    }
}

#[test]
fn calls_are_named_from_the_inside_to_the_outside() {
    let program = "inner = function(list, i)
  return 1 + list[i]
end function
sum_to = function(n)
  sum = 0
  for i in range(0, n)
    sum += inner([1, 2, 3], i) * 2
  end for
  return sum
end function
x = 5 + sum_to(9)";
    assert_eq!(
        stack(program),
        ["list[i]", "inner([1, 2, 3], i)", "sum_to(9)"]
    );
}

#[test]
fn variables_that_are_called_by_their_name_are_named() {
    let program = "f = function\nreturn nosuch\nend function\ng = function(f)\nreturn 1 + f\nend function\ng @f";
    let stack = stack(program);
    assert_eq!(stack[0], "nosuch");
    assert!(["f", "1 + f"].contains(&&*stack[1]), "{stack:?}");
}

#[test]
fn spans_survive_a_file() {
    let program = "x = 1 + nosuch";
    let block = compile("test", program.as_bytes(), CompileOptions::default()).unwrap();
    let loaded = kiln::load_compiled(&kiln::save_compiled(&block)).unwrap();
    let mut interpreter = Engine::new().interpreter().build().unwrap();
    let error = interpreter.run(&loaded).unwrap_err();
    let span = error.stack[0].span.unwrap();
    assert_eq!(excerpt(program, span), "nosuch");
    assert_eq!(span.to_string(), "1:9-1:15");
    assert_eq!(error.to_string().lines().count(), 1);
}
