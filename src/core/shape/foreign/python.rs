//! As much of Python as a pasted line needs: calls with arguments, numbers, texts, tuples, assignments, comments.

use crate::project::help::Help;
use crate::project::layer_text::LayerTextError;
use std::ops::Range;

/// An expression with its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    pub value: Value,
    pub span: Range<usize>,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Number(f64),
    Text(String),
    Truth(bool),
    None,
    /// A tuple or a list.
    List(Vec<Term>),
    /// `x`, `self.width`
    Name(String),
    Call(Call),
    /// `Conv2D(8, 3)(x)`: a call whose result is called.
    Applied(Call, Vec<Term>),
    /// Anything else.
    Other,
}

/// A call by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// With its path: `torch.nn.Conv2d`.
    pub name: String,
    pub span: Range<usize>,
    pub arguments: Vec<Argument>,
}

/// An argument, with its name where it is given by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    pub key: Option<String>,
    /// The bytes of its key.
    pub key_span: Range<usize>,
    pub term: Term,
}

impl Term {
    pub(crate) fn is_name(&self) -> bool {
        matches!(self.value, Value::Name(_))
    }

    pub fn error(&self, message: impl Into<String>, help: impl Into<Help>) -> LayerTextError {
        error(self.span.clone(), message, help)
    }
}

impl Call {
    pub fn error(&self, message: impl Into<String>, help: impl Into<Help>) -> LayerTextError {
        error(self.span.clone(), message, help)
    }
}

fn error(span: Range<usize>, message: impl Into<String>, help: impl Into<Help>) -> LayerTextError {
    LayerTextError {
        message: message.into(),
        help: help.into(),
        span,
    }
}

/// Brackets inside brackets; more could exhaust the call stack.
const MOST_DEEP: usize = 32;

/// The expressions of the lines, one after the other.
pub fn parse(text: &str) -> Result<Vec<Term>, LayerTextError> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let mut terms = Vec::new();
    refuse_swallowed_calls(text)?;
    loop {
        // What encloses pasted lines may be pasted in part: a bracket that closes what was not pasted.
        parser.skip(|c| c.is_whitespace() || matches!(c, ',' | ';' | ')' | ']'));
        if parser.rest().is_empty() {
            return Ok(terms);
        }
        let statement = parser.statement()?;
        parser.end_of_statement(&statement)?;
        terms.push(statement);
    }
}

/// A comment without the end of its line, as a field of one line makes of pasted lines, would hide what follows.
fn refuse_swallowed_calls(text: &str) -> Result<(), LayerTextError> {
    let last = text.rfind('\n').map_or(0, |end| end + 1);
    let line = text.get(last..).unwrap_or_default();
    match line.find('#') {
        Some(start) if line[start..].contains('(') => {
            let span = last + start..text.len();
            Err(error(
                span,
                "a comment hides the calls behind it",
                "paste the lines without comments",
            ))
        }
        Some(_) | None => Ok(()),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Passes over such letters and comments.
    fn skip(&mut self, is_blank: impl Fn(char) -> bool) {
        loop {
            let rest = self.rest().trim_start_matches(&is_blank);
            let comment = match rest.starts_with('#') {
                true => rest.find('\n').unwrap_or(rest.len()),
                false => 0,
            };
            self.at = self.text.len() - rest.len() + comment;
            if comment == 0 {
                return;
            }
        }
    }

    fn blanks(&mut self) {
        // Inside brackets a line continues.
        let inside = self.depth > 0;
        self.skip(|c| c.is_whitespace() && (inside || c != '\n'));
    }

    /// Whether this letter is next; it is passed.
    fn takes(&mut self, letter: char) -> bool {
        self.blanks();
        let is_next = self.peek() == Some(letter);
        if is_next {
            self.at += letter.len_utf8();
        }
        is_next
    }

    fn statement(&mut self) -> Result<Term, LayerTextError> {
        let first = self.sum()?;
        if first.is_name() && self.takes('=') {
            return self.sum();
        }
        Ok(first)
    }

    /// A field of one line has blanks where the pasted lines ended: a call may be followed by the next.
    fn end_of_statement(&mut self, statement: &Term) -> Result<(), LayerTextError> {
        let is_call = matches!(statement.value, Value::Call(_) | Value::Applied(..));
        self.blanks();
        match self.peek() {
            None | Some('\n' | ',' | ';' | ')' | ']') => Ok(()),
            Some(letter) if is_call && (letter.is_alphabetic() || letter == '_') => Ok(()),
            Some(_) => Err(self.unreadable()),
        }
    }

    fn unreadable(&self) -> LayerTextError {
        let letter = self.peek().map_or(0, char::len_utf8);
        let what = match self.peek() {
            Some(letter) => format!("`{letter}` can't be read here"),
            None => "the line ends in the middle".to_owned(),
        };
        error(
            self.at..self.at + letter,
            what,
            "paste whole calls of layers, one a line",
        )
    }

    fn sum(&mut self) -> Result<Term, LayerTextError> {
        let mut left = self.product()?;
        loop {
            let operation: fn(f64, f64) -> f64 = if self.takes('+') {
                |a, b| a + b
            } else if self.takes('-') {
                |a, b| a - b
            } else {
                return Ok(left);
            };
            left = combined(left, self.product()?, operation);
        }
    }

    fn product(&mut self) -> Result<Term, LayerTextError> {
        let mut left = self.factor()?;
        loop {
            let operation: fn(f64, f64) -> f64 = if self.takes('*') {
                |a, b| a * b
            } else if self.takes('/') {
                if self.takes('/') {
                    |a, b| (a / b).floor()
                } else {
                    |a, b| a / b
                }
            } else {
                return Ok(left);
            };
            left = combined(left, self.factor()?, operation);
        }
    }

    fn factor(&mut self) -> Result<Term, LayerTextError> {
        self.blanks();
        let start = self.at;
        if self.takes('-') {
            let operand = self.factor_inside()?;
            let value = match operand.value {
                Value::Number(number) => Value::Number(-number),
                _ => Value::Other,
            };
            return Ok(Term {
                value,
                span: start..self.at,
            });
        }
        let value = match self.peek() {
            Some('(' | '[') => self.list()?,
            Some('"' | '\'') => self.quoted()?,
            Some(c) if c.is_ascii_digit() || c == '.' => self.number()?,
            Some(c) if c.is_alphabetic() || c == '_' => return self.named(),
            _ => return Err(self.unreadable()),
        };
        Ok(Term {
            value,
            span: start..self.at,
        })
    }

    /// A factor one level deeper, so that `----1` has an end.
    fn factor_inside(&mut self) -> Result<Term, LayerTextError> {
        self.deeper()?;
        let factor = self.factor();
        self.depth -= 1;
        factor
    }

    fn deeper(&mut self) -> Result<(), LayerTextError> {
        if self.depth >= MOST_DEEP {
            return Err(error(
                self.at..self.at,
                "brackets inside too many others",
                "paste single layers",
            ));
        }
        self.depth += 1;
        Ok(())
    }

    /// `(1, 2)`, `[1, 2]`, or one expression in brackets.
    fn list(&mut self) -> Result<Value, LayerTextError> {
        let is_tuple = self.peek() == Some('(');
        let (mut terms, has_comma) = self.bracketed(|parser| parser.sum())?;
        match terms.as_slice() {
            [_] if is_tuple && !has_comma => Ok(terms.remove(0).value),
            _ => Ok(Value::List(terms)),
        }
    }

    /// The terms between two matching brackets, and whether there is a comma.
    fn bracketed<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, LayerTextError>,
    ) -> Result<(Vec<T>, bool), LayerTextError> {
        let open = self.at;
        let closing = if self.peek() == Some('(') { ')' } else { ']' };
        self.at += 1;
        self.deeper()?;
        let (mut items, mut has_comma) = (Vec::new(), false);
        loop {
            self.blanks();
            if self.rest().is_empty() {
                let bracket = &self.text[open..=open];
                return Err(error(
                    open..open + 1,
                    format!("`{bracket}` is not closed"),
                    "paste the whole call",
                ));
            }
            if self.takes(closing) {
                break;
            }
            items.push(item(self)?);
            let comma = self.takes(',');
            has_comma |= comma;
            self.blanks();
            if !comma && self.peek() != Some(closing) && !self.rest().is_empty() {
                return Err(self.unreadable());
            }
        }
        self.depth -= 1;
        Ok((items, has_comma))
    }

    fn quoted(&mut self) -> Result<Value, LayerTextError> {
        let quote = self.peek().unwrap_or('"');
        let inside = &self.rest()[1..];
        let Some(end) = inside.find(quote) else {
            return Err(error(
                self.at..self.text.len(),
                "the text is not closed",
                "paste the whole call",
            ));
        };
        self.at += end + 2;
        Ok(Value::Text(inside[..end].to_owned()))
    }

    fn number(&mut self) -> Result<Value, LayerTextError> {
        let rest = self.rest();
        let mut length = 0;
        for (index, letter) in rest.char_indices() {
            let is_sign = matches!(letter, '+' | '-') && rest[..index].ends_with(['e', 'E']);
            if !(letter.is_ascii_digit() || matches!(letter, '.' | '_' | 'e' | 'E') || is_sign) {
                break;
            }
            length = index + 1;
        }
        let written = rest[..length].replace('_', "");
        let number = written.parse().map_err(|_| {
            error(
                self.at..self.at + length,
                format!("`{written}` is no number"),
                "write a number",
            )
        })?;
        self.at += length;
        Ok(Value::Number(number))
    }

    /// A name, a call of it, and what is done with the result.
    fn named(&mut self) -> Result<Term, LayerTextError> {
        let start = self.at;
        let name = self.dotted();
        let span = start..self.at;
        let value = match name.as_str() {
            "True" => Value::Truth(true),
            "False" => Value::Truth(false),
            "None" => Value::None,
            _ if self.peek() == Some('(') => self.call(Call {
                name,
                span,
                arguments: Vec::new(),
            })?,
            _ => Value::Name(name),
        };
        Ok(Term {
            value,
            span: start..self.at,
        })
    }

    fn dotted(&mut self) -> String {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        let rest = self.rest();
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += end;
        rest[..end].to_owned()
    }

    fn call(&mut self, mut call: Call) -> Result<Value, LayerTextError> {
        call.arguments = self.bracketed(Self::argument)?.0;
        let value = match self.peek() {
            Some('(') => Value::Applied(call, self.bracketed(|parser| parser.sum())?.0),
            _ => Value::Call(call),
        };
        match self.peek() {
            Some('(' | '[' | '.') => Err(self.unreadable()),
            _ => Ok(value),
        }
    }

    fn argument(&mut self) -> Result<Argument, LayerTextError> {
        let term = self.sum()?;
        match &term.value {
            Value::Name(name) if self.takes('=') => Ok(Argument {
                key: Some(name.clone()),
                key_span: term.span.clone(),
                term: self.sum()?,
            }),
            _ => Ok(Argument {
                key: None,
                key_span: 0..0,
                term,
            }),
        }
    }
}

fn combined(left: Term, right: Term, operation: impl Fn(f64, f64) -> f64) -> Term {
    let span = left.span.start..right.span.end;
    let value = match (left.value, right.value) {
        (Value::Number(a), Value::Number(b)) => Value::Number(operation(a, b)),
        _ => Value::Other,
    };
    Term { value, span }
}
