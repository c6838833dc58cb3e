//! Goals on the terminal: a list of ticks, or the same as JSON.

use serde_json::{Value, json};
use strata_design::goals::{Judged, Now, Standing};

/// `{"goal": "parameters <= 50000", "met": false, "now": 61386}`; what is not known yet is null.
pub fn as_json(goals: &[Judged]) -> Value {
    let one = |judged: &Judged| {
        let met = match judged.standing {
            Standing::Met => Some(true),
            Standing::Missed => Some(false),
            Standing::AfterTraining => None,
        };
        let now = match &judged.now {
            Some(Now::Count(count)) => json!(count),
            Some(Now::Shape(dims)) => json!(dims),
            Some(Now::Number(number)) => json!(number),
            None => Value::Null,
        };
        json!({ "goal": judged.goal.to_string(), "met": met, "now": now, "text": judged.text })
    };
    goals.iter().map(one).collect()
}

/// A line for each goal; none where there are no goals.
pub fn as_text(goals: &[Judged]) -> Vec<String> {
    let tick = |standing: Standing| match standing {
        Standing::Met => '✓',
        Standing::Missed => '✗',
        Standing::AfterTraining => '·',
    };
    goals
        .iter()
        .map(|judged| format!("{} {}: {}", tick(judged.standing), judged.goal, judged.text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_ticked() {
        let judged = |goal: &str, standing, now, text: &str| Judged {
            goal: goal.parse().unwrap(),
            standing,
            now,
            text: text.into(),
        };
        let goals = [
            judged(
                "output = input",
                Standing::Met,
                Some(Now::Shape(vec![3, 8, 8])),
                "output 3×8×8",
            ),
            judged(
                "code <= 64",
                Standing::Missed,
                Some(Now::Count(65)),
                "65 numbers, 1 too many",
            ),
            judged(
                "psnr >= 22",
                Standing::AfterTraining,
                None,
                "known after training",
            ),
            judged(
                "mse <= 1",
                Standing::Missed,
                Some(Now::Number(f64::NAN)),
                "diverged",
            ),
        ];
        assert_eq!(
            as_text(&goals)[..2],
            [
                "✓ output = input: output 3×8×8",
                "✗ code <= 64: 65 numbers, 1 too many"
            ]
        );
        let value = as_json(&goals);
        assert_eq!(
            (&value[0]["met"], &value[0]["now"]),
            (&json!(true), &json!([3, 8, 8]))
        );
        assert_eq!(
            (&value[1]["met"], &value[1]["now"]),
            (&json!(false), &json!(65))
        );
        assert_eq!(
            (&value[2]["met"], &value[2]["now"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(value[3]["now"], Value::Null);
    }
}
