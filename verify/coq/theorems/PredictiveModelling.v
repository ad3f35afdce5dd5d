(* Do the models of this folder model their languages predictively, in the words of the paper?

   "After every prefix of a word of L the model outputs the exact set of symbols that may come next, and whether the
   prefix is itself in L."  BoundedDyck.v and the others prove that a model gives a machine's answers; here these
   answers are what the definition asks for. *)
Require Import ZArith List Bool Lia Arith.
From Verify Require Import SSM Languages.
From Verify.theorems Require Import CountersAreTrim.
From Verify.theorems Require FlipFlop BoundedDyck Shuffles BooleanExpressions EqualRuns.
Import ListNotations.
Open Scope nat_scope.

(* -- the definition ------------------------------------------------------------------------------------------------ *)

(* Symbols 0 .. n - 1 are the alphabet, output a says that symbol a may come next, output n that the word may end here
   (EOS). *)
Definition predictively_models (m : model) (n : nat) (L : list nat -> Prop) : Prop :=
  forall w, (exists v, L (w ++ v)) ->
    (forall a, a < n -> (nth a (snd (run m w)) false = true <-> exists v, L (w ++ a :: v))) /\
    (nth n (snd (run m w)) false = true <-> L w).

(* -- what a machine has to be -------------------------------------------------------------------------------------- *)

Section Machine.
Variables (M : machine) (n : nat).
(* its answers are the symbols that have a move, and then whether the state accepts *)
Definition answers_moves : Prop := forall q, exists b : bool,
  answer (m := M) q = map (fun a => is_some (next q a)) (seq 0 n) ++ [b].
(* from every state that a word leads to, a move is a symbol after which some word goes on *)
Definition trim : Prop := forall w q a, word n w -> a < n -> reaches M w = Some q ->
  (is_some (next q a) = true <-> exists v, in_language M n (w ++ a :: v)).

Lemma computes_models m : computes m M n -> answers_moves -> trim -> predictively_models m n (in_language M n).
Proof.
  intros C A T w (v & V & q' & R & _). apply Forall_app in V as [W _]. rewrite reaches_app in R.
  destruct (reaches M w) as [q|] eqn:E; [|discriminate]. rewrite (C w q W E). destruct (A q) as [b B]. split.
  - intros a L. rewrite B, app_nth1 by (rewrite map_length, seq_length; exact L).
    rewrite (nth_indep _ false (is_some (next q 0))) by (rewrite map_length, seq_length; exact L).
    rewrite (map_nth (fun a => is_some (next q a))), seq_nth by exact L. apply (T w q a W L E).
  - assert (N : nth n (answer (m := M) q) false = last (answer (m := M) q) false).
    { rewrite B, last_last, app_nth2; rewrite map_length, seq_length; [|lia]. rewrite Nat.sub_diag. reflexivity. }
    rewrite N. split.
    + intro F. split; [exact W|]. exists q. split; [exact E|exact F].
    + intros [_ (p & P & F)]. rewrite E in P. injection P as <-. exact F.
Qed.
End Machine.

(* -- each language ------------------------------------------------------------------------------------------------- *)

Theorem flip_flop_is_modelled : predictively_models FlipFlop.predictor 5 (in_language flip_flop 5).
Proof.
  apply computes_models; [exact FlipFlop.predictor_computes_flip_flop|intro q; exists (negb (is_some (fst q)));
    reflexivity|].
  intros w q a. apply (trim_by flip_flop 5 (fun q => fst q = Some R -> snd q <> None)).
  - discriminate.
  - intros [[[]|] [[]|]] b q' H B N; destruct b as [|[|[|[|[|b]]]]]; simpl in N; try discriminate N; injection N as <-;
      simpl; congruence.
  - intros [[[]|] [[]|]] H; try (exfalso; apply H; reflexivity);
      first [exists [], (None, None); split; [constructor|split; reflexivity]
            |exists [], (None, Some true); split; [constructor|split; reflexivity]
            |exists [], (None, Some false); split; [constructor|split; reflexivity]
            |eexists [3], _; split; [repeat constructor|split; reflexivity]
            |eexists [4], _; split; [repeat constructor|split; reflexivity]].
Qed.
Print Assumptions flip_flop_is_modelled.

(* For all k and h. *)
Theorem bounded_dyck_is_modelled : forall k h,
  predictively_models (BoundedDyck.predictor k h) (2 * k) (in_language (dyck k h) (2 * k)).
Proof.
  intros k h. apply computes_models; [apply BoundedDyck.predictor_computes_bounded_dyck|intro q; eexists; reflexivity|].
  intros w q a. apply (trim_by (dyck k h) (2 * k) (Forall (fun t => t < k))).
  - constructor.
  - intros p b p' T _ N. apply (dyck_types k h p b p' T N).
  - intros p T. exists (map (fun t => S (2 * t)) p), []. split; [|split; [apply close_all; exact T|]].
    + apply Forall_forall. intros x I. apply in_map_iff in I as (t & <- & I). rewrite Forall_forall in T.
        specialize (T t I). lia.
    + unfold accepting. cbn [answer dyck]. unfold dyck_answer. apply last_last.
Qed.
Print Assumptions bounded_dyck_is_modelled.

(* For all k; k = 1 is Dyck-1. *)
Theorem shuffle_is_modelled : forall k,
  predictively_models (Shuffles.predictor k) (2 * k) (in_language (shuffle k) (2 * k)).
Proof.
  intro k. apply computes_models; [apply Shuffles.predictor_computes_shuffle|intro q; eexists;
    reflexivity|exact (shuffle_legal k)].
Qed.
Print Assumptions shuffle_is_modelled.

Theorem boolean_is_modelled : forall n, 1 <= n ->
  predictively_models (BooleanExpressions.predictor n) (n + 2) (in_language (boolean n) (n + 2)).
Proof.
  intros n N. apply computes_models; [apply BooleanExpressions.predictor_computes_boolean, N|intro q; eexists;
    reflexivity|].
  intros w q a. apply boolean_legal, N.
Qed.
Print Assumptions boolean_is_modelled.

(* l = 2 is a^n b^n, l = 3 is a^n b^n c^n. *)
Theorem equal_runs_is_modelled : forall l, 2 <= l ->
  predictively_models (EqualRuns.predictor l) l (in_language (equal_runs l) l).
Proof.
  intros l L. apply computes_models; [apply EqualRuns.predictor_computes_equal_runs, L|intro q; eexists; reflexivity|].
  intros w q a. apply equal_runs_legal, L.
Qed.
Print Assumptions equal_runs_is_modelled.
