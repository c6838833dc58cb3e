use super::*;
use crate::embedding::tests::fixture;

#[test]
fn answers_and_distances_are_those_of_scikit_learn() {
    let fixture = fixture();
    let (fitted, asked) = fixture.points.split_at(10 * fixture.train);
    let (fitted, asked) = (Rows::new(fitted, 10), Rows::new(asked, 10));
    let labels: Vec<Option<u32>> = fixture.labels.iter().copied().map(Some).collect();
    for case in &fixture.knn {
        let metric = Metric::of_word(&case.metric).unwrap();
        let near = all_nearest(fitted, asked, metric, case.k, &mut |_| true).unwrap();
        let answers: Vec<u32> = near
            .iter()
            .map(|near| vote(near, &labels[..fixture.train]).unwrap())
            .collect();
        assert_eq!(answers, case.answers, "{metric:?} {}", case.k);
        let right = answers.iter().zip(&fixture.labels[fixture.train..]);
        let right = right.filter(|(answer, label)| answer == label).count();
        assert_eq!(right as f64 / answers.len() as f64, case.accuracy);
        let five = all_nearest(fitted, asked, metric, 5, &mut |_| true).unwrap();
        for (row, (indices, distances)) in case.indices.iter().zip(&case.distances).enumerate() {
            let found: Vec<usize> = five[row].iter().map(|(index, _)| *index).collect();
            assert_eq!(&found, indices);
            for ((_, found), wanted) in five[row].iter().zip(distances) {
                assert!((f64::from(*found) - wanted).abs() < 1e-4 * wanted.max(0.1));
            }
        }
    }
}

#[test]
fn equal_votes_go_to_the_smaller_class_and_equal_distances_to_the_first_row() {
    let labels = [Some(4), Some(1), Some(4), Some(1), None];
    let near: Vec<Near> = (0..5).map(|row| (row, row as f32)).collect();
    assert_eq!(vote(&near, &labels), Some(1));
    assert_eq!(vote(&near[..3], &labels), Some(4));
    assert_eq!(vote(&near[4..], &labels), None);
    let values = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0];
    let rows = Rows::new(&values, 2);
    let near = rows.nearest(&[1.0, 0.0], Metric::Euclidean, 2, Some(0));
    assert_eq!(near, [(1, 0.0), (2, 0.0)]);
    let cosine = rows.distances(&[2.0, 0.0], Metric::Cosine);
    assert_eq!(
        cosine,
        [0.0, 0.0, 0.0, 1.0],
        "a row of zeros is at a right angle"
    );
}

#[test]
fn no_row_is_its_own_neighbour_and_asking_can_end() {
    let values: Vec<f32> = (0..600).map(|value| (value % 7) as f32).collect();
    let rows = Rows::new(&values, 2);
    let near = all_nearest(rows, rows, Metric::Euclidean, 3, &mut |_| true).unwrap();
    let is_other = |(row, near): (usize, &Vec<Near>)| near.iter().all(|(other, _)| *other != row);
    assert!(near.iter().enumerate().all(is_other));
    assert!(all_nearest(rows, rows, Metric::Euclidean, 3, &mut |_| false).is_none());
}
