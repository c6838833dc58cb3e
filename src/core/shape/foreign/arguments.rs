//! The arguments of one call, taken one after the other; what is left over is refused by name.

use super::python::{Call, Term, Value};
use crate::project::help::{Help, Repair};
use crate::project::layer_text::LayerTextError;

/// The arguments that no reading has taken yet.
pub struct Arguments<'a> {
    call: &'a Call,
    signature: &'a [&'a str],
    left: Vec<(String, &'a Term)>,
}

impl<'a> Arguments<'a> {
    /// The arguments by name; those without get the names of the signature.
    pub fn bind(call: &'a Call, signature: &'a [&'a str]) -> Result<Arguments<'a>, LayerTextError> {
        let mut left: Vec<(String, &Term)> = Vec::new();
        for (index, argument) in call.arguments.iter().enumerate() {
            let key = argument.key.as_deref().or(signature.get(index).copied());
            let Some(key) = key else {
                let message = format!("`{}` takes fewer arguments", call.name);
                return Err(argument.term.error(message, "take it out"));
            };
            if left.iter().any(|(taken, _)| taken == key) {
                let message = format!("`{key}` is given twice");
                return Err(argument.term.error(message, "keep one of them"));
            }
            left.push((key.to_owned(), &argument.term));
        }
        Ok(Arguments {
            call,
            signature,
            left,
        })
    }

    /// The argument of this name; `None` is the same as one that was left out.
    pub fn take(&mut self, key: &str) -> Option<&'a Term> {
        let index = self.left.iter().position(|(name, _)| name == key)?;
        let (_, term) = self.left.remove(index);
        (term.value != Value::None).then_some(term)
    }

    fn required<T>(&self, key: &str, value: Option<T>) -> Result<T, LayerTextError> {
        value.ok_or_else(|| {
            let is_meant = |(wrong, _): &&(String, &Term)| is_near(wrong, key);
            if let Some((wrong, _)) = self.left.iter().find(is_meant) {
                return self.misspelt(wrong, key);
            }
            let message = format!("`{}` needs `{key}`", self.call.name);
            self.call.error(message, "paste the whole call")
        })
    }

    /// Why an argument can't be used.
    pub fn refuse(&self, key: &str, term: &Term, help: &str) -> LayerTextError {
        let message = format!("`{key}` of `{}` can't be expressed here", self.call.name);
        term.error(message, help)
    }

    fn wrong(&self, key: &str, term: &Term, what: &str) -> LayerTextError {
        let message = match &term.value {
            Value::Name(name) => format!("`{key}` is `{name}`, a name: its value is not known"),
            _ => format!("`{key}` is not {what}"),
        };
        term.error(message, format!("write {what}"))
    }

    pub fn number(&mut self, key: &str) -> Result<Option<f64>, LayerTextError> {
        self.take(key)
            .map(|term| match term.value {
                Value::Number(number) => Ok(number),
                _ => Err(self.wrong(key, term, "a number")),
            })
            .transpose()
    }

    pub fn count(&mut self, key: &str) -> Result<Option<u32>, LayerTextError> {
        self.take(key)
            .map(|term| whole(term).ok_or_else(|| self.wrong(key, term, "a whole number")))
            .transpose()
    }

    pub(crate) fn needed_count(&mut self, key: &str) -> Result<u32, LayerTextError> {
        let count = self.count(key)?;
        self.required(key, count)
    }

    /// One size for all axes, or one for each.
    pub fn sizes(&mut self, key: &str) -> Result<Option<Vec<u32>>, LayerTextError> {
        self.take(key)
            .map(|term| {
                sizes_of(term)
                    .ok_or_else(|| self.wrong(key, term, "a whole number, or one for each axis"))
            })
            .transpose()
    }

    pub(crate) fn needed_sizes(&mut self, key: &str) -> Result<Vec<u32>, LayerTextError> {
        let sizes = self.sizes(key)?;
        self.required(key, sizes)
    }

    pub fn needed(&mut self, key: &str) -> Result<&'a Term, LayerTextError> {
        let term = self.take(key);
        self.required(key, term)
    }

    pub fn truth(&mut self, key: &str) -> Result<Option<bool>, LayerTextError> {
        self.take(key)
            .map(|term| match term.value {
                Value::Truth(truth) => Ok(truth),
                _ => Err(self.wrong(key, term, "True or False")),
            })
            .transpose()
    }

    pub fn text(&mut self, key: &str) -> Result<Option<&'a str>, LayerTextError> {
        self.take(key)
            .map(|term| match &term.value {
                Value::Text(text) => Ok(text.as_str()),
                _ => Err(self.wrong(key, term, "a text")),
            })
            .transpose()
    }

    /// An argument that has to be what it is unless given.
    pub fn only(&mut self, key: &str, usual: &Value, help: &str) -> Result<(), LayerTextError> {
        match self.take(key) {
            Some(term) if term.value != *usual => Err(self.refuse(key, term, help)),
            Some(_) | None => Ok(()),
        }
    }

    /// The same for a number.
    pub(crate) fn only_number(
        &mut self,
        key: &str,
        usual: f64,
        help: &str,
    ) -> Result<(), LayerTextError> {
        match self.take(key) {
            Some(term) if !matches!(term.value, Value::Number(now) if now == usual) => {
                Err(self.refuse(key, term, help))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses what is left over.
    pub fn finish(&self) -> Result<(), LayerTextError> {
        match self.left.first() {
            None => Ok(()),
            Some((key, term)) => {
                let is_meant = |name: &&&str| is_near(key, name) && !self.is_given(name);
                Err(match self.signature.iter().find(is_meant) {
                    Some(meant) => self.misspelt(key, meant),
                    None => self.refuse(key, term, &elsewhere(key)),
                })
            }
        }
    }

    fn is_given(&self, name: &str) -> bool {
        let mut given = self.call.arguments.iter();
        given.any(|argument| argument.key.as_deref() == Some(name))
    }

    /// An argument whose name is nearly that of another.
    fn misspelt(&self, wrong: &str, meant: &str) -> LayerTextError {
        let mut given = self.call.arguments.iter();
        let key = given.find(|argument| argument.key.as_deref() == Some(wrong));
        let span = key.map_or(self.call.span.clone(), |argument| argument.key_span.clone());
        LayerTextError {
            message: format!("`{}` has no argument `{wrong}`", self.call.name),
            help: Help::from(Repair::Spell {
                wrong: wrong.to_owned(),
                right: meant.to_owned(),
                is_example: false,
            }),
            span,
        }
    }

    /// The call, for errors about all of it.
    pub fn call(&self) -> &'a Call {
        self.call
    }
}

/// Whether one name is a slip of the keyboard away from the other.
fn is_near(name: &str, other: &str) -> bool {
    let most = if other.len() < 6 { 1 } else { 2 };
    name != other && strsim::damerau_levenshtein(name, other) <= most
}

/// What does the work of an argument that is none here.
fn elsewhere(key: &str) -> String {
    let text = match key {
        "kernel_regularizer" | "bias_regularizer" | "activity_regularizer" => {
            "take it out and use weight_decay of the optimizer"
        }
        "trainable" => "take it out and freeze the layer in the stage",
        "kernel_initializer"
        | "bias_initializer"
        | "depthwise_initializer"
        | "pointwise_initializer" => "take it out: weights start as PyTorch's do",
        _ => "take it out if the network does without",
    };
    text.to_owned()
}

fn whole(term: &Term) -> Option<u32> {
    match term.value {
        Value::Number(number)
            if number.fract() == 0.0 && (0.0..=f64::from(1u32 << 30)).contains(&number) =>
        {
            Some(number as u32)
        }
        _ => None,
    }
}

/// The whole numbers of a term.
pub(crate) fn sizes_of(term: &Term) -> Option<Vec<u32>> {
    match &term.value {
        Value::List(terms) if !terms.is_empty() => terms.iter().map(whole).collect(),
        _ => whole(term).map(|one| vec![one]),
    }
}

/// Sizes as an attribute has them: `3`, or `3x5`.
pub fn joined(sizes: &[u32]) -> String {
    let all_equal = sizes.iter().all(|size| Some(size) == sizes.first());
    let shown = if all_equal {
        &sizes[..sizes.len().min(1)]
    } else {
        sizes
    };
    shown
        .iter()
        .map(u32::to_string)
        .collect::<Vec<_>>()
        .join("x")
}
