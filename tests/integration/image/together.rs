//! Several runs on one installation at the same time.

use super::*;

#[test]
fn runs_at_the_same_time_wait_for_each_other() {
    let (_, after) = undisturbed("patch");
    for _ in 0..10 {
        let bed = Bed::new();
        let original = bed.snapshot();
        let root = bed.root.as_path();
        let all = |verb: &'static str| {
            std::thread::scope(|scope| {
                let runs: Vec<_> = (0..8)
                    .map(|_| scope.spawn(move || run(root, verb)))
                    .collect();
                let mut changed = 0;
                for answer in runs.into_iter().map(|run| run.join().unwrap()) {
                    assert!(answer.success(), "{answer}");
                    changed += usize::from(answer.stdout.starts_with("2 changed"));
                }
                assert_eq!(changed, 1, "one of them does the work: {verb}");
            });
        };
        all("patch");
        assert_eq!(bed.snapshot(), after);
        all("revert");
        assert_eq!(bed.snapshot(), original);
    }
}

#[test]
fn patch_revert_and_verify_at_the_same_time_leave_one_of_both_states() {
    let (before, after) = undisturbed("patch");
    let bed = Bed::new();
    let root = bed.root.as_path();
    for _ in 0..10 {
        std::thread::scope(|scope| {
            let verbs = ["patch", "revert", "verify", "patch", "revert", "verify"];
            let runs = verbs.map(|verb| (verb, scope.spawn(move || run(root, verb))));
            for (verb, run) in runs {
                let answer = run.join().unwrap();
                let fine = if verb == "verify" {
                    [0, 1].contains(&answer.code())
                } else {
                    answer.success()
                };
                assert!(fine, "{answer}");
                assert!(
                    !answer.stdout.contains("at_work: false"),
                    "nothing was interrupted: {answer}"
                );
            }
        });
        let now = bed.snapshot();
        assert!(now == before || now == after, "{now:#?}");
    }
}
