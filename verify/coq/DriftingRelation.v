(* When a recogniser meets infinitely many states, but only once the word is dead: are all of them silent for ever?

   Most recognisers keep counting after a violation.  The states that they can then be in are described by one template;
   it is shown, with forms, that every step leads from its instances to its instances and accepts nothing.  What is left is
   finite, and searched. *)
From Verify Require Import SSM Languages FiniteRelation Forms Templates.
Require Import ZArith List Bool Lia.
Import ListNotations.
Open Scope Z_scope.

Section Checker.
Variables (m : model) (M : machine) (n : nat) (L : lookup M) (dead : template).

Definition dead_attempt (a : nat) (b : box) : outcome bool :=
  bind (step_forms m b (forms dead) a) (fun r => Done (fits b [] (fst r) dead && same_outputs (snd r) [false])).
Definition dead_kept (fuel : nat) : bool := forallb (fun a => everywhere fuel (dead_attempt a) (ranges dead)) (seq 0 n).

Definition is_dead (q : state (recogniser M)) (s : list (list Z)) : Prop :=
  q = None /\ exists v, inside v (ranges dead) /\ s = instance dead v.
Definition seems_dead (q : state (recogniser M)) (s : list (list Z)) : bool :=
  match q with None => numbers_fit [] s dead | Some _ => false end.

Lemma seems_dead_right q s : seems_dead q s = true -> is_dead q s.
Proof.
  destruct q; [discriminate|]. intro H. split; [reflexivity|]. apply numbers_fit_right in H as (w & I & S & _). exists w; auto.
Qed.
Lemma is_dead_kept fuel : dead_kept fuel = true -> forall q s a q', is_dead q s -> (a < n)%nat -> next (m := recogniser M) q a = Some q' ->
  is_dead q' (fst (step m s a)) /\ snd (step m s a) = answer (m := recogniser M) q'.
Proof.
  intros K q s a q' [-> [v [I ->]]] A N. injection N as <-. unfold dead_kept in K. rewrite forallb_forall in K.
  specialize (K a ltac:(apply in_seq; lia)). destruct (everywhere_right _ _ _ K v I) as [b [J T]].
  apply bind_done in T as [[s' outputs] [S T]]. apply (step_right m b _ a v _ J) in S. cbn [fst snd] in *. injection T as T.
  apply andb_prop in T as [T1 T2]. apply same_outputs_right in T2. destruct (fits_right b _ _ _ v J T1) as [F1 F2].
  unfold instance. rewrite S. cbn [fst snd]. split; [split; [reflexivity|]; eexists; split; [exact F1|exact F2]|exact T2].
Qed.

Definition drifting_check (fuel : nat) : bool :=
  closed m (recogniser M) n (recogniser_lookup L) seems_dead (found m (recogniser M) n (recogniser_lookup L) seems_dead fuel) && dead_kept fuel.
Theorem drifting_check_computes fuel : drifting_check fuel = true -> computes m (recogniser M) n.
Proof.
  intro C. apply andb_prop in C as [C K]. revert C. apply closed_computes with (rest := is_dead); [exact seems_dead_right|exact (is_dead_kept fuel K)].
Qed.
End Checker.

Print Assumptions drifting_check_computes.
