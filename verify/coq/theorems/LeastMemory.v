(* How much memory does bounded Dyck need?  Of every model, not only of ours: as many states as there are stacks.

   Sarrof, Veitsman, Hahn 2024: their construction is optimal up to the rounding of log2 k. Here is the lower bound:
   whatever predicts Dyck(k, h) has 1 + k + k^2 + .. + k^h different states (with the last outputs), so that it needs
   the logarithm of that in bits: about h log2 k. BoundedDyck.v uses h ceil(log2 k) bits and a counter from 0 to h. *)
Require Import ZArith List Bool Lia Arith.
From Verify Require Import SSM Languages.
Import ListNotations.
Open Scope nat_scope.

Section Memory.
Variables (m : model) (k h : nat).
Hypothesis right : computes m (dyck k h) (2 * k).

Definition stack (q : list nat) : Prop := length q <= h /\ Forall (fun t => t < k) q.

Lemma run_snoc w a : run m (w ++ [a]) = step m (fst (run m w)) a.
Proof. unfold run. rewrite fold_left_app. reflexivity. Qed.
Lemma reaches_snoc M w a : reaches M (w ++ [a]) = match reaches M w with Some q => next q a | None => None end.
Proof. unfold reaches. rewrite fold_left_app. reflexivity. Qed.

Lemma closes t q : t < k -> dyck_next k h (t :: q) (S (2 * t)) = Some q.
Proof.
  intro T. unfold dyck_next. rewrite Nat.div2_succ_double, (proj2 (Nat.ltb_lt t k) T), Nat.even_succ, Nat.odd_mul.
    cbn [negb].
  change (Nat.odd 2) with false. cbn [andb]. rewrite Nat.eqb_refl. reflexivity.
Qed.
Lemma only_its_top_closes t q : is_some (dyck_next k h q (S (2 * t))) = true -> exists r, q = t :: r.
Proof.
  unfold dyck_next. rewrite Nat.div2_succ_double, Nat.even_succ, Nat.odd_mul. change (Nat.odd 2) with false. cbn [andb].
  destruct (negb (t <? k)); [discriminate|]. destruct q as [|u q]; [discriminate|].
    destruct (Nat.eqb_spec u t) as [->|]; [|discriminate].
  intros _. exists q. reflexivity.
Qed.
Lemma legal_is_answered q a : a < 2 * k -> nth a (dyck_answer k h q) false = is_some (dyck_next k h q a).
Proof.
  intro L. unfold dyck_answer. rewrite app_nth1 by (rewrite map_length, seq_length; exact L).
  rewrite (nth_indep _ false (is_some (dyck_next k h q 0))) by (rewrite map_length, seq_length; exact L).
  rewrite (map_nth (fun a => is_some (dyck_next k h q a))), seq_nth by exact L. reflexivity.
Qed.
Lemma end_is_answered q : last (dyck_answer k h q) false = match q with [] => true | _ => false end.
Proof. unfold dyck_answer. apply last_last. Qed.

Lemma same_answers w w' q q' : Forall (fun a => a < 2 * k) w -> Forall (fun a => a < 2 * k) w' ->
  reaches (dyck k h) w = Some q -> reaches (dyck k h) w' = Some q' -> run m w = run m w' ->
    dyck_answer k h q = dyck_answer k h q'.
Proof.
  intros A A' R R' E. assert (X := right w q A R). assert (X' := right w' q' A' R').
    transitivity (snd (run m w)); [symmetry; exact X|rewrite E; exact X'].
Qed.

(* Different stacks are different states of the model. *)
Theorem states_tell_stacks_apart : forall q q' w w', stack q ->
  Forall (fun a => a < 2 * k) w -> Forall (fun a => a < 2 * k) w' ->
  reaches (dyck k h) w = Some q -> reaches (dyck k h) w' = Some q' -> run m w = run m w' -> q = q'.
Proof.
  induction q as [|t q IH]; intros q' w w' S A A' Rw Rw' E.
  - assert (X : dyck_answer k h [] = dyck_answer k h q') by exact (same_answers w w' [] q' A A' Rw Rw' E).
    apply (f_equal (fun l => last l false)) in X. rewrite !end_is_answered in X.
      destruct q'; [reflexivity|discriminate].
  - destruct S as [D T]. inversion T as [|? ? Tt Tq]; subst.
    assert (X : dyck_answer k h (t :: q) = dyck_answer k h q') by exact (same_answers w w' (t :: q) q' A A' Rw Rw' E).
    assert (C : S (2 * t) < 2 * k) by lia.
    apply (f_equal (fun l => nth (S (2 * t)) l false)) in X. rewrite !legal_is_answered, closes in X by assumption.
    symmetry in X. apply only_its_top_closes in X as [r ->]. f_equal.
    apply (IH r (w ++ [S (2 * t)]) (w' ++ [S (2 * t)])).
    + split; [simpl in D; lia|exact Tq].
    + apply Forall_app; auto.
    + apply Forall_app; auto.
    + rewrite reaches_snoc, Rw. apply closes, Tt.
    + rewrite reaches_snoc, Rw'. apply closes, Tt.
    + rewrite !run_snoc, E. reflexivity.
Qed.

(* -- how many stacks there are ------------------------------------------------------------------------------------- *)

Fixpoint of_depth (d : nat) : list (list nat) := match d with O => [[]] |
  S d => flat_map (fun q => map (fun t => t :: q) (seq 0 k)) (of_depth d) end.
Definition stacks : list (list nat) := flat_map of_depth (seq 0 (S h)).
Fixpoint powers (d : nat) : nat := match d with O => 1 | S d => powers d + k ^ S d end.           (* 1 + k + .. + k^d *)

Lemma length_flat_map {A B} (f : A -> list B) l n : (forall x, length (f x) = n) ->
  length (flat_map f l) = length l * n.
Proof. intro E. induction l as [|x l IH]; simpl; [reflexivity|]. rewrite app_length, IH, E. lia. Qed.
Lemma length_of_depth d : length (of_depth d) = k ^ d.
Proof. induction d as [|d IH]; [reflexivity|]. simpl.
  rewrite (length_flat_map _ _ k), IH by (intro; rewrite map_length, seq_length; reflexivity). lia. Qed.
Lemma length_stacks : length stacks = powers h.
Proof.
  assert (G : forall d, length (flat_map of_depth (seq 0 (S d))) = powers d); [|apply G].
  induction d as [|d IH]; [reflexivity|]. rewrite seq_S, flat_map_app, app_length, IH.
  change (flat_map of_depth [0 + S d]) with (of_depth (S d) ++ []). rewrite app_nil_r, length_of_depth. reflexivity.
Qed.
Lemma depth_and_types d q : In q (of_depth d) -> length q = d /\ Forall (fun t => t < k) q.
Proof.
  revert q; induction d as [|d IH]; intros q I; simpl in I; [destruct I as [<-|[]]; auto|].
  apply in_flat_map in I as (r & I & J). apply in_map_iff in J as (t & <- & J). apply in_seq in J.
    apply IH in I as [L T].
  split; [simpl; congruence|constructor; [lia|exact T]].
Qed.
Lemma NoDup_flat_map {A B} (f : A -> list B) l : NoDup l -> (forall x, In x l -> NoDup (f x)) ->
  (forall x y z, In x l -> In y l -> In z (f x) -> In z (f y) -> x = y) -> NoDup (flat_map f l).
Proof.
  induction l as [|x l IH]; intros N F D; simpl; [constructor|]. inversion N as [|? ? Nx Nl]; subst.
  assert (R : NoDup (flat_map f l))
    by (apply IH; [exact Nl|intros; apply F; right; assumption|intros y y' z I I'; apply D; right; assumption]).
  assert (Nf : NoDup (f x)) by (apply F; left; reflexivity).
  assert (disjoint : forall z, In z (f x) -> ~ In z (flat_map f l)).
  { intros z I J. apply in_flat_map in J as (y & Y & J). apply Nx.
    rewrite (D x y z); [exact Y|left; reflexivity|right; exact Y|exact I|exact J]. }
  revert Nf disjoint. generalize (f x). induction l0 as [|b l0 IHb]; intros Nb d; simpl; [exact R|].
    inversion Nb; subst. constructor.
  - intro I. apply in_app_or in I as [I|I]; [contradiction|]. apply (d b); [left; reflexivity|exact I].
  - apply IHb; [assumption|intros z I; apply d; right; exact I].
Qed.
Lemma stacks_differ : NoDup stacks.
Proof.
  apply NoDup_flat_map; [apply seq_NoDup| |].
  - intros d _. induction d as [|d IH]; simpl; [repeat constructor; intros []|]. apply NoDup_flat_map; [exact IH| |].
    + intros q _. generalize (seq_NoDup k 0). generalize (seq 0 k).
        induction l as [|t l IHl]; intro N; simpl; constructor; inversion N; subst.
      * intro I. apply in_map_iff in I as (u & E & I). injection E as ->. contradiction.
      * apply IHl. assumption.
    + intros q r z _ _ I J. apply in_map_iff in I as (t & <- & _). apply in_map_iff in J as (u & E & _). congruence.
  - intros d e z _ _ I J. apply depth_and_types in I as [I _]. apply depth_and_types in J as [J _]. congruence.
Qed.

(* the word that opens a stack *)
Definition opening (q : list nat) : list nat := map (fun t => 2 * t) (rev q).
Lemma opens q : stack q -> Forall (fun a => a < 2 * k) (opening q) /\ reaches (dyck k h) (opening q) = Some q.
Proof.
  induction q as [|t q IH]; intros [D T]; [split; [constructor|reflexivity]|]. inversion T as [|? ? Tt Tq]; subst.
    simpl in D.
  destruct IH as [A R]; [split; [lia|exact Tq]|]. unfold opening in *. cbn [rev]. rewrite map_app. cbn [map]. split.
  - apply Forall_app. split; [exact A|]. repeat constructor. lia.
  - rewrite reaches_snoc, R. cbn [next dyck]. unfold dyck_next.
    rewrite Nat.div2_double, (proj2 (Nat.ltb_lt t k) Tt), Nat.even_mul. cbn [negb]. change (Nat.even 2) with true.
      cbn [orb].
    rewrite (proj2 (Nat.ltb_lt (length q) h)) by lia. reflexivity.
Qed.

Lemma all_states_differ : NoDup (map (fun q => run m (opening q)) stacks)
  /\ length (map (fun q => run m (opening q)) stacks) = powers h.
Proof.
  split; [|rewrite map_length; apply length_stacks].
  assert (S : forall q, In q stacks -> stack q).
  { intros q I. apply in_flat_map in I as (d & J & I). apply in_seq in J. apply depth_and_types in I as [L T].
    split; [lia|exact T]. }
  generalize stacks_differ. revert S. generalize stacks.
    induction l as [|q l IH]; intros S N; simpl; constructor; inversion N; subst.
  - intro I. apply in_map_iff in I as (r & E & I). assert (q = r); [|congruence].
    destruct (opens q) as [A R]; [apply S; left; reflexivity|].
      destruct (opens r) as [A' R']; [apply S; right; exact I|].
    apply (states_tell_stacks_apart q r (opening q) (opening r)); auto. apply S; left; reflexivity.
  - apply IH; [intros; apply S; right; assumption|assumption].
Qed.
End Memory.
Print Assumptions states_tell_stacks_apart.

(* Every model that predicts Dyck(k, h) comes into 1 + k + .. + k^h different states, on as many words. *)
Theorem bounded_dyck_needs_a_state_for_every_stack : forall m k h, computes m (dyck k h) (2 * k) ->
  exists words : list (list nat), NoDup (map (run m) words) /\ length words = powers k h.
Proof.
  intros m k h R. exists (map opening (stacks k h)). rewrite map_map. destruct (all_states_differ m k h R) as [N L].
    split; [exact N|].
  rewrite map_length in *. exact L.
Qed.
Print Assumptions bounded_dyck_needs_a_state_for_every_stack.

(* The number in closed form: (k^(h+1) - 1) / (k - 1). *)
Theorem number_of_stacks : forall k h, powers k h * (k - 1) = k ^ S h - 1.
Proof.
  intros k h. induction h as [|h IH]; [simpl; lia|]. cbn [powers]. rewrite Nat.mul_add_distr_r, IH.
  assert (P : 1 <= k ^ S h \/ k = 0)
    by (destruct k; [right; reflexivity|left; apply Nat.neq_0_lt_0, Nat.pow_nonzero; discriminate]).
  destruct P as [P| ->]; [|simpl; lia]. change (k ^ S (S h)) with (k * k ^ S h). destruct k as [|n]; [simpl in P; lia|].
  simpl minus at 2. rewrite Nat.sub_0_r. nia.
Qed.
Print Assumptions number_of_stacks.
