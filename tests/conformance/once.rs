//! `ports::writer::Once`: a write under a name is made once, and each who asks gets its answer.

use crate::shop::{Shop, on_both_databases};
use std::sync::Arc;
use stoa::{
    domain::{
        once::{BodyHash, IdempotencyKey, KeptAnswer, OnceName},
        time::Micros,
    },
    ports::{
        StoreError,
        clock::Clock,
        imports::Imports,
        writer::{Once, Write, Written},
    },
};

on_both_databases![
    asked_again_it_is_replayed_to_the_byte,
    equal_names_of_one_commit_are_made_once,
    a_name_for_another_body_is_refused,
    what_is_not_for_good_is_made_again,
    what_fails_keeps_no_answer,
    answers_are_forgotten_when_they_are_old_and_not_before,
];

/// Makes an import, which shows how often it was made.
pub(crate) fn once(shop: &Shop, key: &str, body: &str) -> Once {
    let import = shop.import();
    let body_of_answer = format!("{{\"id\":\"{}\",\"ä\":\"\\u0007 \\\"q\\\"\"}}\n", import.id);
    Once {
        name: OnceName::new("guest", "POST /x", &IdempotencyKey::new(key.as_bytes()).unwrap()),
        body: BodyHash::of(body.as_bytes()),
        at: shop.source.now(),
        write: Box::new(Write::CreateImport(Box::new(import))),
        answer: Arc::new(move |written| {
            assert_eq!(*written, Written::Done);
            Some(KeptAnswer {
                status: 201,
                headers: vec![("location".into(), "/x/1".into())],
                body: body_of_answer.clone(),
            })
        }),
    }
}

pub(crate) fn answer(written: Written) -> KeptAnswer {
    match written {
        Written::Answered { answer: Some(answer), .. } | Written::Replayed(answer) => answer,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn made(shop: &Shop) -> usize {
    shop.store.list(None, 100).await.unwrap().len()
}

async fn asked_again_it_is_replayed_to_the_byte(mut shop: Shop) {
    let first = shop.commit(Write::Once(once(&shop, "k", "b"))).await.unwrap();
    assert!(matches!(first, Written::Answered { .. }), "{first:?}");
    // Also by a writer that was not there.
    let mut other = shop.another_writer().await;
    let again = other.commit(vec![Write::Once(once(&shop, "k", "b"))]).await.swap_remove(0);
    let again = again.unwrap();
    assert!(matches!(again, Written::Replayed(_)), "{again:?}");
    assert_eq!(answer(again), answer(first));
    assert_eq!(made(&shop).await, 1);
}

async fn equal_names_of_one_commit_are_made_once(mut shop: Shop) {
    let writes = [("a", "1"), ("b", "1"), ("a", "1"), ("a", "2"), ("b", "1")];
    let writes = writes.map(|(key, body)| Write::Once(once(&shop, key, body)));
    let answers: Vec<_> =
        shop.writer.commit(writes.to_vec()).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(made(&shop).await, 2);
    assert_eq!(answers[3], Written::OtherBody);
    assert_eq!(answer(answers[2].clone()), answer(answers[0].clone()));
    assert_eq!(answer(answers[4].clone()), answer(answers[1].clone()));
    assert_ne!(answer(answers[1].clone()), answer(answers[0].clone()));
}

async fn a_name_for_another_body_is_refused(mut shop: Shop) {
    shop.commit(Write::Once(once(&shop, "k", "b"))).await.unwrap();
    let other = shop.commit(Write::Once(once(&shop, "k", "c"))).await.unwrap();
    assert_eq!(other, Written::OtherBody);
    assert_eq!(made(&shop).await, 1);
}

async fn what_is_not_for_good_is_made_again(mut shop: Shop) {
    let passing = Once { answer: Arc::new(|_| None), ..once(&shop, "k", "b") };
    let first = shop.commit(Write::Once(passing)).await.unwrap();
    let wanted = Written::Answered { written: Box::new(Written::Done), answer: None };
    assert_eq!(first, wanted);
    let again = shop.commit(Write::Once(once(&shop, "k", "b"))).await.unwrap();
    assert!(matches!(again, Written::Answered { answer: Some(_), .. }));
    assert_eq!(made(&shop).await, 2);
}

async fn what_fails_keeps_no_answer(mut shop: Shop) {
    let good = once(&shop, "k", "b");
    let Write::CreateImport(import) = (*good.write).clone() else { unreachable!() };
    shop.commit(Write::CreateImport(import)).await.unwrap();
    // The row is there already.
    let refused = shop.commit(Write::Once(good)).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    let again = shop.commit(Write::Once(once(&shop, "k", "another body"))).await.unwrap();
    assert!(matches!(again, Written::Answered { answer: Some(_), .. }));
}

async fn answers_are_forgotten_when_they_are_old_and_not_before(mut shop: Shop) {
    let mut middle = Micros(0);
    for n in 0..6 {
        let once = once(&shop, &format!("k{n}"), "b");
        if n == 4 {
            middle = once.at;
        }
        shop.commit(Write::Once(once)).await.unwrap();
    }
    let forget = |most| Write::ForgetAnswers { older_than: middle, most };
    assert_eq!(shop.commit(forget(3)).await.unwrap(), Written::Swept(3));
    assert_eq!(shop.commit(forget(3)).await.unwrap(), Written::Swept(1));
    assert_eq!(shop.commit(forget(3)).await.unwrap(), Written::Swept(0));
    let young = shop.commit(Write::Once(once(&shop, "k4", "b"))).await.unwrap();
    assert!(matches!(young, Written::Replayed(_)));
    let old = shop.commit(Write::Once(once(&shop, "k3", "b"))).await.unwrap();
    assert!(matches!(old, Written::Answered { .. }));
}
