(* Which languages can nonnegative gates not recognise at finite precision?  PARITY, and all others that count modulo k
   > 1.

   Sarrof, Veitsman, Hahn 2024, Theorem 2.  No depth, no width, no embedding, no phi and no precision helps. *)
From Verify.theorems Require Import NonnegativeGates.
Require Import ZArith List Bool Lia Arith.
Import ListNotations.

(* Words over {0, 1} with an even number of ones; true is 1. *)
Definition parity (w : list bool) : Prop := Nat.Even (count_occ bool_dec w true).
(* (a^k)* over the one letter a: (aa)* is [multiple 2], (aaaa)* is [multiple 4]. *)
Definition multiple (k : nat) (w : list unit) : Prop := Nat.divide k (length w).

Lemma parity_of_ones n : parity (power [true] n) <-> Nat.Even n.
Proof. unfold parity. replace (count_occ bool_dec (power [true] n) true) with n; [reflexivity|].
  induction n; simpl; congruence. Qed.
Lemma length_of_power n : length (power [tt] n) = n.
Proof. induction n; simpl; congruence. Qed.

Theorem parity_counts : ~ noncounting parity.
Proof.
  intros [N H]. specialize (H [] [true] [] N (le_n N)). cbn [app] in H. rewrite !app_nil_r, !parity_of_ones in H.
  rewrite Nat.Even_succ in H. destruct (Nat.Even_or_Odd N); apply (Nat.Even_Odd_False N); tauto.
Qed.
Print Assumptions parity_counts.
Theorem multiple_counts k : (1 < k)%nat -> ~ noncounting (multiple k).
Proof.
  intros K [N H]. specialize (H [] [tt] [] (k * N)%nat). unfold multiple in H. cbn [app] in H.
    rewrite !app_nil_r, !length_of_power in H.
  assert (D : Nat.divide k (S (k * N))) by (apply H; [nia|exists N; lia]).
  destruct D as [c E]. assert (c * k - N * k = 1)%nat by lia. rewrite <- Nat.mul_sub_distr_r in H0.
    destruct (c - N)%nat; nia.
Qed.
Print Assumptions multiple_counts.

(* THEOREM 2: nonnegative gates at finite precision do not recognise PARITY, at any depth. *)
Theorem no_nonnegative_model_recognises_parity : forall Feature Output (m : model bool Feature Output) test low high,
  nonnegative m -> bounded m low high -> ~ recognises m test parity.
Proof.
  intros F O m test low high M B R. apply parity_counts.
  exact (nonnegative_recognises_only_noncounting _ _ _ m test parity low high M B R).
Qed.
Print Assumptions no_nonnegative_model_recognises_parity.

Theorem no_nonnegative_model_counts_modulo : forall k Feature Output (m : model unit Feature Output) test low high,
  (1 < k)%nat ->
  nonnegative m -> bounded m low high -> ~ recognises m test (multiple k).
Proof.
  intros k F O m test low high K M B R. apply (multiple_counts k K).
  exact (nonnegative_recognises_only_noncounting _ _ _ m test _ low high M B R).
Qed.
Print Assumptions no_nonnegative_model_counts_modulo.

(* How it fails, and how soon: the two words 1^n and 1^(n+1), with n = 1 + layers x (numbers in the chain), get the
   same output. *)
Theorem two_words_that_are_answered_alike : forall Feature Output (m : model bool Feature Output) low high,
  nonnegative m -> bounded m low high ->
  let n := S (length (layers m) * size low high) in output m (power [true] n) = output m (power [true] (S n)).
Proof.
  intros F O m low high M B n. assert (E := repetition_is_forgotten _ _ _ m low high M B [] [true] [] n (le_n n)).
  cbn [app] in E. rewrite !app_nil_r in E. symmetry. exact E.
Qed.
Print Assumptions two_words_that_are_answered_alike.
