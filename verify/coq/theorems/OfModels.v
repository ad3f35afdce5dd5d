(* Does Theorem 2 hold of the models that this project saves, steps and compiles?  Yes: of every model of SSM.v, in
   fixed:p, whose gates are nonnegative and whose states stay between two bounds, on whatever words can reach.

   Nothing is asked of a model's weights on inputs that no word brings about, and nothing of phi: mixes may have any
   weights, signs and activations. That the states stay between bounds is what makes "finite precision" finite: fixed:p
   alone bounds the fraction and not the integer (UnboundedStates.v says what holds of counters, NoneCanBeLeftOut.v
   what does not). *)
From Verify Require SSM.
From Verify.theorems Require Import NonnegativeGates.
Require Import ZArith List Bool Lia Arith.
Import ListNotations.
Open Scope Z_scope.

(* -- the hypotheses ------------------------------------------------------------------------------------------------ *)

Definition over (n : nat) (w : list nat) := Forall (fun a => (a < n)%nat) w.  (* a word over the symbols 0 .. n - 1 *)

(* On this step every layer's gates are nonnegative. *)
Fixpoint gates_nonnegative (p : Z) (ls : list SSM.layer) (hs : list (list Z)) (x : list Z) : Prop :=
  match ls, hs with
  | l :: ls, h :: hs => Forall (Z.le 0) (SSM.raw p (SSM.gate l) x)
                        /\ gates_nonnegative p ls hs (SSM.features p l (SSM.update p l h x) x)
  | _, _ => True
  end.

Definition nonnegative_when_run (m : SSM.model) (n : nat) := forall w a, over n w -> (a < n)%nat ->
  gates_nonnegative (SSM.bits m) (SSM.layers m) (fst (SSM.run m w)) (SSM.embedded m a).
Definition bounded_when_run (m : SSM.model) (n : nat) (low high : Z) := forall w, over n w ->
  Forall (Forall (within low high)) (fst (SSM.run m w)).

(* A language over 0 .. n - 1, recognised by a test on the outputs. *)
Definition decides (m : SSM.model) (n : nat) (test : list bool -> bool) (L : list nat -> Prop) :=
  (forall w, L w -> over n w) /\ forall w, over n w -> (L w <-> test (snd (SSM.run m w)) = true).

(* -- rounding down keeps order ------------------------------------------------------------------------------------- *)

Lemma shift_monotone a b e : a <= b -> a / 2 ^ e <= b / 2 ^ e.
Proof.
  intro H. destruct (Z.neg_nonneg_cases e) as [N|N].
  - rewrite (Z.pow_neg_r 2 e N), !Zdiv_0_r. lia.
  - apply Z.div_le_mono; [apply Z.pow_pos_nonneg; lia|exact H].
Qed.
Lemma power_of_two_nonnegative e : 0 <= 2 ^ e.
Proof. apply Z.pow_nonneg; lia. Qed.
Lemma updated_monotone p eg eb a b : 0 <= a -> monotone (fun v => SSM.updated p eg eb (a, b, v)).
Proof.
  intros A v w H. unfold SSM.updated. apply shift_monotone. assert (P := power_of_two_nonnegative eb).
  apply Z.add_le_mono_r, Z.mul_le_mono_nonneg_r; [exact P|]. apply Z.mul_le_mono_nonneg_l; assumption.
Qed.

(* -- a model as a cascade of monotone maps ------------------------------------------------------------------------- *)

(* The same model with gates cut at 0 and states cut at the bounds, which changes nothing where neither is met. *)
Section Cut.
Variables (p low high : Z).
Definition cut (v : Z) : Z := Z.min (Z.max low v) (Z.max low high).
Lemma cut_inside v : within low high v -> cut v = v.
Proof. unfold cut, within; lia. Qed.

Definition cut_map (l : SSM.layer) (ab : Z * Z) (v : Z) : Z :=
  cut (SSM.updated p (SSM.exponent (SSM.gate l)) (SSM.exponent (SSM.increment l)) (Z.max 0 (fst ab), snd ab, v)).
Definition cut_layer (l : SSM.layer) : layer (list Z) := Layer (list Z)
  (fun x => map (cut_map l) (combine (SSM.raw p (SSM.gate l) x) (SSM.raw p (SSM.increment l) x)))
  (fun h x => SSM.features p l h x).

Lemma cut_layer_monotone l x : Forall monotone (maps _ (cut_layer l) x).
Proof.
  simpl. apply Forall_forall. intros f I. apply in_map_iff in I as ([a b] & <- & _). intros v w H. unfold cut_map, cut.
  assert (U := updated_monotone p (SSM.exponent (SSM.gate l)) (SSM.exponent (SSM.increment l)) (Z.max 0 a) b ltac:(lia)
    v w H).
  simpl in *. lia.
Qed.
Lemma cut_layer_keeps l x : low <= high -> Forall (keeps low high) (maps _ (cut_layer l) x).
Proof.
  intro LH. simpl. apply Forall_forall. intros f I. apply in_map_iff in I as ([a b] & <- & _). intros v _.
    unfold cut_map, cut, within. lia.
Qed.

Lemma cut_update l h x : Forall (Z.le 0) (SSM.raw p (SSM.gate l) x) -> Forall (within low high) (SSM.update p l h x) ->
  update _ (cut_layer l) h x = SSM.update p l h x.
Proof.
  unfold update, pointwise, SSM.update. simpl. generalize (SSM.raw p (SSM.gate l) x) (SSM.raw p (SSM.increment l) x).
  intro A; revert h; induction A as [|a A IH]; intros h [|b B] G U; try reflexivity.
    destruct h as [|v h]; [reflexivity|].
  simpl in *. inversion G; inversion U; subst. f_equal; [|apply IH; assumption].
  unfold cut_map. simpl. rewrite Z.max_r by assumption. apply cut_inside. assumption.
Qed.
Lemma cut_through : forall ls hs x, gates_nonnegative p ls hs x ->
  Forall (Forall (within low high)) (fst (SSM.through p ls hs x)) ->
  through _ (map cut_layer ls) hs x = SSM.through p ls hs x.
Proof.
  induction ls as [|l ls IH]; intros [|h hs] x G B; try reflexivity. simpl in *. destruct G as [G1 G2].
  destruct (SSM.through p ls hs (SSM.features p l (SSM.update p l h x) x)) as [rest z] eqn:T. simpl in B.
    inversion B; subst.
  rewrite cut_update by assumption. rewrite IH; [rewrite T; reflexivity|exact G2|rewrite T; assumption].
Qed.
End Cut.

Section Same.
Variables (m : SSM.model) (n : nat) (low high : Z).
Hypothesis gates : nonnegative_when_run m n.
Hypothesis range : bounded_when_run m n low high.
Let p := SSM.bits m.

Definition cut_model : model nat (list Z) (list bool) :=
  Model _ _ _ (SSM.embedded m) (map (cut_layer p low high) (SSM.layers m))
  (SSM.through p (SSM.layers m) (SSM.start m) (SSM.embedded m (SSM.bos m)))
  (fun z => map (Z.ltb 0) (SSM.raw p (SSM.readout m) z)).

Definition same_state (s : list (list Z) * list Z) (r : list (list Z) * list bool) :=
  fst s = fst r /\ readout _ _ _ cut_model (snd s) = snd r.
Lemma run_snoc w a : SSM.run m (w ++ [a]) = SSM.step m (fst (SSM.run m w)) a.
Proof. unfold SSM.run. rewrite fold_left_app. reflexivity. Qed.
Lemma cut_run w : over n w -> same_state (fold_left (step _ _ _ cut_model) w (start _ _ _ cut_model)) (SSM.run m w).
Proof.
  induction w as [|a w IH] using rev_ind; intro O.
  - unfold SSM.run, SSM.begin, SSM.step, same_state; simpl. fold p. destruct (SSM.through _ _ _ _); split; reflexivity.
  - assert (B := range _ O). apply Forall_app in O as [O1 O2]. inversion O2; subst.
    assert (G := gates w a O1 ltac:(assumption)). destruct (IH O1) as [E _].
    rewrite run_snoc in *. rewrite fold_left_app. cbn [fold_left]. unfold step at 1. cbn [layers embedding cut_model].
    rewrite E. set (hs := fst (SSM.run m w)) in *. unfold SSM.step in *. fold p in G, B |- *.
    destruct (SSM.through p (SSM.layers m) hs (SSM.embedded m a)) as [hs' z] eqn:T. cbn [fst] in B.
    rewrite cut_through; [rewrite T; split; reflexivity|exact G|rewrite T; exact B].
Qed.

Lemma cut_nonnegative : nonnegative cut_model.
Proof. apply Forall_forall. intros l I. apply in_map_iff in I as (l' & <- & _). intro x. apply cut_layer_monotone. Qed.
Lemma cut_bounded : low <= high -> bounded cut_model low high.
Proof.
  intro LH. split.
  - apply Forall_forall. intros l I. apply in_map_iff in I as (l' & <- & _). intro x. apply cut_layer_keeps, LH.
  - assert (B := range [] (Forall_nil _)). unfold SSM.run, SSM.begin, SSM.step in B. simpl in B. fold p in B. simpl.
    destruct (SSM.through _ _ _ _). exact B.
Qed.

Lemma over_power w k : over n w -> over n (power w k).
Proof. intro O. induction k; simpl; [constructor|apply Forall_app; auto]. Qed.

Lemma over_parts u w v k : over n u -> over n w -> over n v -> over n (u ++ power w k ++ v).
Proof. intros U W V. apply Forall_app. split; [exact U|]. apply Forall_app. split; [apply over_power; exact W|exact V].
  Qed.

(* How often a factor is repeated is forgotten, beyond layers x (numbers between the bounds). *)
Theorem model_forgets_repetition : low <= high -> forall u w v k, over n u -> over n w -> over n v ->
  (S (length (SSM.layers m) * size low high) <= k)%nat ->
  snd (SSM.run m (u ++ power w (S k) ++ v)) = snd (SSM.run m (u ++ power w k ++ v)).
Proof.
  intros LH u w v k U W V K.
  assert (O : forall k, over n (u ++ power w k ++ v)) by (intro; apply over_parts; assumption).
  destruct (cut_run _ (O k)) as [_ <-]. destruct (cut_run _ (O (S k))) as [_ <-].
  apply (repetition_is_forgotten _ _ _ cut_model low high cut_nonnegative (cut_bounded LH)).
  simpl. rewrite map_length. exact K.
Qed.

Lemma decides_only_noncounting test L : low <= high -> decides m n test L -> noncounting L.
Proof.
  intros LH [A D]. exists (S (length (SSM.layers m) * size low high)). intros u w v k K.
  assert (split : forall k, (0 < k)%nat -> over n (u ++ power w k ++ v) <-> over n u /\ over n w /\ over n v).
  { intros [|j] J; [lia|]. unfold over. rewrite !Forall_app. simpl. rewrite Forall_app.
    split; [tauto|]. intros (X & Y & Z). repeat split; try assumption. apply over_power; exact Y. }
  assert (E : over n u /\ over n w /\ over n v ->
              snd (SSM.run m (u ++ power w (S k) ++ v)) = snd (SSM.run m (u ++ power w k ++ v)))
    by (intros (X & Y & Z); apply model_forgets_repetition; assumption).
  split; intro H; assert (O := A _ H); apply split in O; try lia;
    (apply D; [apply split; [lia|exact O]|]); apply D in H; try (apply split; [lia|exact O]); rewrite <- H; f_equal;
      [|symmetry]; auto.
Qed.
End Same.

Theorem nonnegative_model_decides_only_noncounting : forall m n low high test L, low <= high ->
  nonnegative_when_run m n -> bounded_when_run m n low high -> decides m n test L -> noncounting L.
Proof. intros; eapply decides_only_noncounting; eassumption. Qed.
Print Assumptions model_forgets_repetition.
Print Assumptions nonnegative_model_decides_only_noncounting.

(* PARITY over the symbols 0 and 1: an even number of 1s. *)
Definition parity (w : list nat) : Prop := over 2 w /\ Nat.Even (count_occ Nat.eq_dec w 1%nat).
Lemma parity_of_ones k : parity (power [1%nat] k) <-> Nat.Even k.
Proof.
  unfold parity. replace (count_occ Nat.eq_dec (power [1%nat] k) 1%nat) with k; [|induction k; simpl; congruence].
  split; [tauto|]. intro E. split; [apply over_power; repeat constructor|exact E].
Qed.
Theorem no_nonnegative_model_decides_parity : forall m low high test, low <= high ->
  nonnegative_when_run m 2 -> bounded_when_run m 2 low high -> ~ decides m 2 test parity.
Proof.
  intros m low high test LH G B D.
  destruct (nonnegative_model_decides_only_noncounting m 2 low high test parity LH G B D) as [N H].
  specialize (H [] [1%nat] [] N (le_n N)). cbn [app] in H. rewrite !app_nil_r, !parity_of_ones, Nat.Even_succ in H.
  destruct (Nat.Even_or_Odd N); apply (Nat.Even_Odd_False N); tauto.
Qed.
Print Assumptions no_nonnegative_model_decides_parity.
