(* Does "the machine has a move" mean "some word of the language goes on like this", in the counter languages?

   A predictor is asked for the symbols that may come next. The machines of Languages.v answer with those that have a
   move. Here: from every state that a prefix leads to, some continuation is accepted, so that the two are the same.
   (For bounded Dyck, Languages.v proves it: dyck_legal.) *)
Require Import ZArith List Bool Lia Arith.
From Verify Require Import SSM Languages.
From Verify.theorems Require Import Tables Counters.
From Verify.theorems Require Shuffles BooleanExpressions EqualRuns.
Import ListNotations.
Open Scope Z_scope.

(* -- what has to be shown of a machine ---------------------------------------------------------------------------- *)

Section Machine.
Variables (M : machine) (n : nat).                              (* the symbols are 0 .. n - 1 *)

Definition word (w : list nat) : Prop := Forall (fun a => (a < n)%nat) w.
Definition goes (q : state M) (w : list nat) : option (state M) :=
  fold_left (fun q a => match q with Some q => next q a | None => None end) w (Some q).
Definition accepting (q : state M) : Prop := last (answer q) false = true.
Definition in_language (w : list nat) : Prop := word w /\ exists q, reaches M w = Some q /\ accepting q.
Definition completed (q : state M) : Prop := exists w q', word w /\ goes q w = Some q' /\ accepting q'.

Lemma goes_dead w : fold_left (fun q a => match q with Some q => next q a | None => None end) w (@None (state M))
  = None.
Proof. induction w; simpl; auto. Qed.
Lemma reaches_app v w : reaches M (v ++ w) = match reaches M v with Some q => goes q w | None => None end.
Proof. unfold reaches, goes. rewrite fold_left_app.
  destruct (fold_left _ v (Some first)); [reflexivity|apply goes_dead]. Qed.
Lemma goes_app q v w : goes q (v ++ w) = match goes q v with Some q => goes q w | None => None end.
Proof. unfold goes. rewrite fold_left_app. destruct (fold_left _ v (Some q)); [reflexivity|apply goes_dead]. Qed.

(* An invariant that holds at the start, is kept by every move, and promises a completion. *)
Lemma trim_by (I : state M -> Prop) : I first -> (forall q a q', I q -> (a < n)%nat -> next q a = Some q' -> I q') ->
  (forall q, I q -> completed q) ->
  forall w q a, word w -> (a < n)%nat -> reaches M w = Some q ->
  (is_some (next q a) = true <-> exists v, in_language (w ++ a :: v)).
Proof.
  intros I0 kept done w q a W A R.
  assert (Iq : forall w q, word w -> reaches M w = Some q -> I q).
  { clear - I0 kept. induction w as [|a w IH] using rev_ind; intros q W R; [injection R as <-; exact I0|].
    apply Forall_app in W as [W1 W2]. inversion W2; subst. rewrite reaches_app in R.
      destruct (reaches M w) as [p|]; [|discriminate].
    unfold goes in R. simpl in R. apply (kept p a q); auto. }
  assert (step : forall v, reaches M (w ++ a :: v) = match next q a with Some p => goes p v | None => None end).
  { intro v. rewrite reaches_app, R. unfold goes at 1. simpl. destruct (next q a); [reflexivity|apply goes_dead]. }
  split.
  - intro N. destruct (next q a) as [p|] eqn:E; [|discriminate].
    assert (Ip : I p) by (apply (kept q a p); auto; apply (Iq w q W R)).
    destruct (done p Ip) as (v & q' & V & G & F). exists v.
      split; [apply Forall_app; split; [exact W|constructor; assumption]|].
    exists q'. split; [rewrite step; exact G|exact F].
  - intros (v & _ & q' & G & _). rewrite step in G. destruct (next q a); [reflexivity|discriminate].
Qed.
End Machine.
Arguments accepting {M}.
Arguments goes {M}.

(* -- shuffles: close what is open ---------------------------------------------------------------------------------- *)

Section Shuffle.
Variable k : nat.
Definition shuffle_state (q : nat * list Z) : Prop := exists f, q = (0%nat, counters k f) /\ forall i, (i < k)%nat ->
  0 <= f i.

Lemma shuffle_kept q a q' : shuffle_state q -> (a < 2 * k)%nat -> next (m := shuffle k) q a = Some q' ->
  shuffle_state q'.
Proof.
  intros (f & -> & P) A N. rewrite Shuffles.shuffle_next in N by exact A. destruct (Nat.even a).
  - injection N as <-. eexists. split; [reflexivity|]. intros i I. specialize (P i I). unfold bumped.
      destruct (Nat.eqb i _); lia.
  - destruct (Z.ltb_spec 0 (f (Nat.div2 a))); [|discriminate]. injection N as <-. eexists. split; [reflexivity|].
    intros i I. specialize (P i I). unfold bumped. destruct (Nat.eqb_spec i (Nat.div2 a)); subst; lia.
Qed.
Lemma accepts_zero f : (forall i, (i < k)%nat -> f i = 0) -> accepting (M := shuffle k) (0%nat, counters k f).
Proof.
  intro Z0. unfold accepting. cbn [answer shuffle counter_machine]. unfold counter_answer. rewrite last_last.
  unfold counter_accepts. cbn [existsb fst snd Nat.eqb andb]. rewrite orb_false_r. apply forallb_forall.
  intros t I. apply in_map_iff in I as (i & <- & I). apply in_seq in I. unfold passes. cbn [fst snd]. unfold counters.
  rewrite nth_tab by lia. rewrite Z0 by lia. reflexivity.
Qed.
(* by the number of open brackets of the types below i; the others are closed already *)
Lemma shuffle_completed : forall i, (i <= k)%nat -> forall f, (forall j, (j < k)%nat -> 0 <= f j) ->
  (forall j, (i <= j < k)%nat -> f j = 0) ->
  completed (shuffle k) (2 * k) (0%nat, counters k f).
Proof.
  induction i as [|i IH]; intros L f P Z0.
  - exists [], (0%nat, counters k f). split; [constructor|]. split; [reflexivity|]. apply accepts_zero. intros j J.
      apply Z0. lia.
  - assert (G : forall c f, Z.of_nat c = f i -> (forall j, (j < k)%nat -> 0 <= f j) ->
      (forall j, (S i <= j < k)%nat -> f j = 0) ->
      completed (shuffle k) (2 * k) (0%nat, counters k f));
        [|apply (G (Z.to_nat (f i))); [specialize (P i L); lia|exact P|exact Z0]].
    clear f P Z0. induction c as [|c IHc]; intros f E P Z0.
    + apply (IH ltac:(lia)); [exact P|]. intros j J.
        destruct (Nat.eq_dec j i) as [->|D]; [simpl in E; lia|apply Z0; lia].
    + assert (N : next (m := shuffle k) (0%nat, counters k f) (S (2 * i)) = Some (0%nat, counters k (bumped f i (-1)))).
      { rewrite Shuffles.shuffle_next by lia. rewrite Nat.div2_succ_double, Nat.even_succ, Nat.odd_mul.
        change (Nat.odd 2) with false.
        cbn [andb]. rewrite (proj2 (Z.ltb_lt 0 (f i))) by lia. reflexivity. }
      destruct (IHc (bumped f i (-1))) as (w & q & W & G & A).
      * unfold bumped. rewrite Nat.eqb_refl. lia.
      * intros j J. specialize (P j J). unfold bumped. destruct (Nat.eqb_spec j i); subst; lia.
      * intros j J. unfold bumped. rewrite (proj2 (Nat.eqb_neq j i)) by lia. rewrite Z0 by lia. reflexivity.
      * exists (S (2 * i) :: w), q. split; [constructor; [lia|exact W]|]. split; [|exact A]. unfold goes in *.
          cbn [fold_left]. rewrite N. exact G.
Qed.
Lemma shuffle_trim w q a : word (2 * k) w -> (a < 2 * k)%nat -> reaches (shuffle k) w = Some q ->
  (is_some (next (m := shuffle k) q a) = true <-> exists v, in_language (shuffle k) (2 * k) (w ++ a :: v)).
Proof.
  apply (trim_by (shuffle k) (2 * k) shuffle_state).
  - exists (fun _ => 0). split; [cbn [first shuffle counter_machine]; rewrite zero_counters; reflexivity|intros; lia].
  - exact shuffle_kept.
  - intros p (f & -> & P). apply (shuffle_completed k (le_n k) f P). intros; lia.
Qed.
End Shuffle.

Theorem shuffle_legal : forall k w q a, word (2 * k) w -> (a < 2 * k)%nat -> reaches (shuffle k) w = Some q ->
  (is_some (next (m := shuffle k) q a) = true <-> exists v, in_language (shuffle k) (2 * k) (w ++ a :: v)).
Proof. exact shuffle_trim. Qed.
Print Assumptions shuffle_legal.

(* -- Boolean expressions: an operand for each that is still to come ------------------------------------------------ *)

Theorem boolean_legal : forall n w q a, (1 <= n)%nat -> word (n + 2) w -> (a < n + 2)%nat ->
  reaches (boolean n) w = Some q ->
  (is_some (next (m := boolean n) q a) = true <-> exists v, in_language (boolean n) (n + 2) (w ++ a :: v)).
Proof.
  intros n w q a N. revert w q a.
  assert (done : forall c, completed (boolean n) (n + 2) (0%nat, [Z.of_nat c])).
  { induction c as [|c (w & q & W & G & A)].
    - exists [], (0%nat, [0]). split; [constructor|]. split; [reflexivity|]. unfold accepting.
        cbn [answer boolean counter_machine].
      unfold counter_answer. rewrite last_last. reflexivity.
    - exists (n :: w), q. split; [constructor; [lia|exact W]|]. split; [|exact A]. unfold goes in *. cbn [fold_left].
      rewrite (BooleanExpressions.boolean_next n N) by lia. rewrite (proj2 (Z.ltb_lt 0 (Z.of_nat (S c)))) by lia.
      unfold BooleanExpressions.change. rewrite Nat.ltb_irrefl. replace (Z.of_nat (S c) + -1) with (Z.of_nat c) by lia.
        exact G. }
  apply (trim_by (boolean n) (n + 2) (fun q => exists c, q = (0%nat, [Z.of_nat c]))).
  - exists 1%nat. reflexivity.
  - intros q a q' [c ->] A E. rewrite (BooleanExpressions.boolean_next n N) in E by exact A.
    destruct (Z.ltb_spec 0 (Z.of_nat c)); [|discriminate]. injection E as <-.
      exists (Z.to_nat (Z.of_nat c + BooleanExpressions.change n a)).
    f_equal. f_equal. unfold BooleanExpressions.change. destruct (a <? n)%nat; lia.
  - intros q [c ->]. apply done.
Qed.
Print Assumptions boolean_legal.

(* -- equal runs: match what is open, one run after the other ------------------------------------------------------- *)

Section Runs.
Variable l : nat.
Hypothesis two_letters : (2 <= l)%nat.
Notation c := (l - 1)%nat.
Import EqualRuns.

(* All letters of the run before are matched, by letters of this run. *)
Lemma finish_run i : (i < c)%nat -> forall n f, f i = Z.of_nat n -> in_run l f (S i) ->
  exists w g, word l w /\ goes (M := equal_runs l) (S (S i), counters c f) w = Some (S (S i), counters c g)
    /\ in_run l g (S i) /\ g i = 0.
Proof.
  intro I. induction n as [|n IH]; intros f E R.
  - exists [], f. split; [constructor|]. split; [reflexivity|]. split; [exact R|exact E].
  - destruct (proj2 R ltac:(lia)) as [R1 _].
    assert (O : open_run f i = true).
    { unfold open_run. rewrite (proj2 (Z.ltb_lt 0 (f i))) by lia. destruct i as [|j]; [reflexivity|].
      rewrite (R1 j) by lia. reflexivity. }
    destruct (IH (moved f i)) as (w & g & W & G & R' & Z0).
    + unfold moved. rewrite Nat.eqb_refl, (proj2 (Nat.eqb_neq i (S i))) by lia. lia.
    + apply (moved_in_run l two_letters f (S i) i); try assumption; [lia|right; reflexivity].
    + exists (S i :: w), g. split; [constructor; [lia|exact W]|]. split; [|auto]. unfold goes in *. cbn [fold_left].
      rewrite runs_next by assumption. rewrite Nat.eqb_refl, orb_true_r, O. exact G.
Qed.

Lemma run_completed : forall d a f, (a + d = c)%nat -> in_run l f a -> completed (equal_runs l) l (S a, counters c f).
Proof.
  induction d as [|d IH]; intros a f E R.
  - (* the last run *)
    destruct a as [|i]; [lia|]. assert (P := proj1 R i ltac:(lia)).
    destruct (finish_run i ltac:(lia) (Z.to_nat (f i)) f ltac:(lia) R) as (w & g & W & G & _ & Z0).
    exists w, (S (S i), counters c g). split; [exact W|]. split; [exact G|]. unfold accepting.
      cbn [answer equal_runs counter_machine].
    unfold counter_answer. rewrite last_last. unfold counter_accepts. cbn [existsb forallb passes fst snd].
    unfold counters. rewrite nth_tab by lia. replace (l - 2)%nat with i by lia.
      rewrite Z0, (proj2 (Nat.eqb_eq l (S (S i)))) by lia. reflexivity.
  - assert (ready : exists w g, word l w /\ goes (M := equal_runs l) (S a, counters c f) w = Some (S a, counters c g)
      /\ in_run l g a /\
      match a with O => True | S i => g i = 0 end).
    { destruct a as [|i]; [exists [], f; exact (conj (Forall_nil _) (conj eq_refl (conj R Logic.I)))|].
      assert (P := proj1 R i ltac:(lia)). apply (finish_run i ltac:(lia) (Z.to_nat (f i)) f); [lia|exact R]. }
    destruct ready as (w & g & W & G & R' & Z0).
    assert (O : open_run g a = true).
    { destruct (proj2 R' ltac:(lia)) as [_ R2]. unfold open_run. rewrite (proj2 (Z.ltb_lt 0 (g a))) by (apply R2; lia).
      destruct a as [|i]; [reflexivity|]. rewrite Z0. reflexivity. }
    destruct (IH (S a) (moved g a) ltac:(lia)) as (w' & q & W' & G' & F).
    { apply (moved_in_run l two_letters g a a); try assumption; lia. }
    exists (w ++ S a :: w'), q. split; [apply Forall_app; split; [exact W|constructor; [lia|exact W']]|].
      split; [|exact F].
    rewrite goes_app, G. unfold goes in *. cbn [fold_left]. rewrite runs_next by lia. rewrite Nat.eqb_refl, O. exact G'.
Qed.

Lemma runs_trim w q a : word l w -> (a < l)%nat -> reaches (equal_runs l) w = Some q ->
  (is_some (next (m := equal_runs l) q a) = true <-> exists v, in_language (equal_runs l) l (w ++ a :: v)).
Proof.
  apply (trim_by (equal_runs l) l (fun q => exists f a,
    q = (control_of l a, counters c f) /\ (a <= l)%nat /\ in_run l f a)).
  - exists (fun _ => 0), l. unfold control_of. rewrite Nat.eqb_refl, zero_counters. split; [reflexivity|].
      split; [lia|].
    split; [intros; lia|intro; lia].
  - intros p b p' (f & a' & -> & A & R) B N. destruct (runs_kept l two_letters f a' b p' A R B N) as (g & -> & G & _).
    exists g, b. unfold control_of. rewrite (proj2 (Nat.eqb_neq b l)) by lia. split; [reflexivity|].
      split; [lia|exact G].
  - intros p (f & a' & -> & A & R). unfold control_of. destruct (Nat.eqb_spec a' l) as [->|D].
    + (* nothing was read: a first letter *)
      assert (N : next (m := equal_runs l) (control_of l l, counters c f) 0%nat = Some (1%nat,
        counters c (bumped f 0 1)))
        by (unfold control_of; rewrite Nat.eqb_refl; rewrite runs_next_first by lia; reflexivity).
      destruct (runs_kept l two_letters f l 0 _ (le_n l) R ltac:(lia) N) as (g & E & G & _). injection E as E.
      destruct (run_completed c 0 g eq_refl G) as (v & q' & V & G' & F). exists (0%nat :: v), q'.
        split; [constructor; [lia|exact V]|].
      split; [|exact F]. unfold goes in *. cbn [fold_left]. unfold control_of in N. rewrite Nat.eqb_refl in N.
        rewrite N, E. exact G'.
    + apply (run_completed (c - a')); [lia|exact R].
Qed.
End Runs.

Theorem equal_runs_legal : forall l w q a, (2 <= l)%nat -> word l w -> (a < l)%nat ->
  reaches (equal_runs l) w = Some q ->
  (is_some (next (m := equal_runs l) q a) = true <-> exists v, in_language (equal_runs l) l (w ++ a :: v)).
Proof. intros l w q a L. apply runs_trim, L. Qed.
Print Assumptions equal_runs_legal.
