//! Russian words for what the palette finds, each by the letters that all its forms begin with.

/// Phrases and words, in English; what is longer is looked for first.
const WORDS: &[(&str, &str)] = &[
    ("скорост обучени", "learning rate"),
    ("шаг обучени", "learning rate"),
    ("матриц ошибок", "confusion"),
    ("карт признак", "feature maps"),
    ("рецептивн пол", "receptive field"),
    ("ранн остановк", "early stop"),
    ("функци потер", "loss"),
    ("пакетн нормализац", "bn"),
    ("полносвязн", "dense"),
    ("автокодировщик", "autoencoder"),
    ("автоэнкодер", "autoencoder"),
    ("активац", "activation"),
    ("аугментац", "augmentation"),
    ("батч", "batch"),
    ("вес", "weights"),
    ("возобнов", "resume"),
    ("вставит", "insert"),
    ("выключ", "hide"),
    ("горяч", "keys"),
    ("градиент", "gradient"),
    ("граф", "graph"),
    ("данн", "data"),
    ("датасет", "dataset"),
    ("декодер", "decoder"),
    ("добав", "add"),
    ("дропаут", "dropout"),
    ("заморо", "freeze"),
    ("запуск", "runs"),
    ("зерн", "seed"),
    ("изображени", "images"),
    ("импульс", "momentum"),
    ("картин", "picture"),
    ("классификатор", "classifier"),
    ("клавиш", "keys"),
    ("кодировщик", "encoder"),
    ("копи", "copy"),
    ("метрик", "accuracy"),
    ("момент", "momentum"),
    ("настройк", "settings"),
    ("нормализ", "normalize"),
    ("обуч", "train"),
    ("объединени", "pool"),
    ("оптимизатор", "optimizer"),
    ("останов", "stop"),
    ("открыт", "open"),
    ("отмен", "undo"),
    ("отчет", "report"),
    ("ошибк", "errors"),
    ("пакет", "batch"),
    ("памят", "memory"),
    ("параметр", "parameters"),
    ("пауз", "pause"),
    ("помощ", "help"),
    ("потер", "loss"),
    ("предсказани", "predictions"),
    ("признак", "feature"),
    ("продолж", "go on"),
    ("проект", "project"),
    ("прореживани", "dropout"),
    ("пулинг", "pool"),
    ("расписани", "schedule"),
    ("регуляризац", "regularisation"),
    ("свертк", "conv"),
    ("сверточн", "conv"),
    ("сет", "network"),
    ("сло", "layer"),
    ("созда", "new"),
    ("сохран", "save"),
    ("справк", "help"),
    ("стади", "stage"),
    ("тем", "theme"),
    ("точност", "accuracy"),
    ("транспонированн", "convt"),
    ("удал", "delete"),
    ("фильтр", "filters"),
    ("шум", "noise"),
    ("этап", "stage"),
    ("эпох", "epochs"),
    ("ядр", "kernel"),
];

/// A text in English; `None` unless all its words are known.
pub(super) fn in_english(text: &str) -> Option<String> {
    let text = text.replace('ё', "е");
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let mut english = Vec::new();
    while !words.is_empty() {
        let (taken, meaning) = WORDS
            .iter()
            .filter_map(|(russian, english)| Some((begins(&words, russian)?, *english)))
            .max_by_key(|(taken, _)| *taken)?;
        english.push(meaning);
        words.drain(..taken);
    }
    (!english.is_empty()).then(|| english.join(" "))
}

/// How many words begin as those of a phrase do, in its order.
fn begins(words: &[&str], phrase: &str) -> Option<usize> {
    let parts: Vec<&str> = phrase.split(' ').collect();
    let is_it = words.len() >= parts.len()
        && parts
            .iter()
            .zip(words)
            .all(|(part, word)| word.starts_with(part));
    is_it.then_some(parts.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_go_before_words_in_any_form() {
        assert_eq!(
            in_english("скорость обучения").as_deref(),
            Some("learning rate")
        );
        assert_eq!(in_english("обучение").as_deref(), Some("train"));
        assert_eq!(in_english("свёрточные слои").as_deref(), Some("conv layer"));
        assert_eq!(in_english("абракадабра"), None);
        assert_eq!(in_english("слой абракадабра"), None);
        assert_eq!(in_english(""), None);
    }
}
