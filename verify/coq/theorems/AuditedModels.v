(* Is the project's audit "at most star-free" right in fixed:p, where integers are unbounded and a model may count?

   Yes.  What it asks of a model of SSM.v, and of nothing but what words can reach, is [audited]:
     - the features that enter each layer lie between two bounds (they are integers in units of 2^-p, so finitely many);
     - every gate is nonnegative, and a coordinate that may grow without bound has gates 0 and 1 only;
     - no mix but a clip multiplies, by a fraction, what may have grown, and rounds it ([phi_settles]).
   Then a regular language that the model recognises is noncounting, so star-free, and PARITY it does not recognise.
   The outputs may read what has grown: a^n b^n and Dyck-1 are recognised by audited models, and are not regular. *)
Require Import ZArith List Bool Lia Arith.
From Verify Require SSM.
From Verify.theorems Require Import NonnegativeGates UnboundedStates OfModels.
Import ListNotations.
Open Scope Z_scope.

(* -- the audit ----------------------------------------------------------------------------------------------------- *)

Definition is_clip (f : SSM.activation) : bool := match f with SSM.Clip _ _ => true | _ => false end.
Definition may_grow (grows : list bool) (term : nat * Z) : bool := nth (fst term) grows false.

(* Rows whose value may grow, from the inputs that may: a clip ends it. *)
Definition grown (grows : list bool) (m : SSM.affine * SSM.activation) : list bool :=
  map (fun r : Z * list (nat * Z) => negb (is_clip (snd m)) && existsb (may_grow grows) (snd r)) (SSM.rows (fst m)).
(* No fraction of what may grow is rounded, but in a clip. *)
Definition mix_settles (grows : list bool) (m : SSM.affine * SSM.activation) : Prop :=
  0 <= SSM.exponent (fst m) /\
  (is_clip (snd m) = false -> forall r t, In r (SSM.rows (fst m)) -> In t (snd r) -> may_grow grows t = true ->
    (2 ^ SSM.exponent (fst m) | snd t)).
Fixpoint phi_settles (grows : list bool) (phi : list (SSM.affine * SSM.activation)) : Prop :=
  match phi with [] => True | m :: ms => mix_settles grows m /\ phi_settles (grown grows m) ms end.

(* What is asked of the weights of a layer, given which of its coordinates may grow. *)
Definition layer_settles (l : SSM.layer) (grows : list bool) : Prop :=
  length grows = length (SSM.rows (SSM.gate l)) /\ length grows = length (SSM.rows (SSM.increment l)) /\
  0 <= SSM.exponent (SSM.gate l) /\ 0 <= SSM.exponent (SSM.increment l) /\ phi_settles grows (SSM.phi l).

(* What is asked of a step: the gates [A] at the coordinates, whose new values are [h]. *)
Section Step.
Variables p low high : Z.
Fixpoint coordinates_settle (one : Z) (grows : list bool) (A h : list Z) : Prop :=
  match grows, A, h with
  | g :: grows, a :: A, v :: h => (if g then a = 0 \/ a = one else 0 <= a /\ within low high v)
    /\ coordinates_settle one grows A h
  | _, _, _ => True
  end.
Fixpoint step_settles (ls : list SSM.layer) (grows : list (list bool)) (hs : list (list Z)) (x : list Z) : Prop :=
  match ls, grows, hs with
  | l :: ls, g :: grows, h :: hs =>
      Forall (within low high) x /\
      coordinates_settle (2 ^ (p + SSM.exponent (SSM.gate l))) g (SSM.raw p (SSM.gate l) x) (SSM.update p l h x) /\
      step_settles ls grows hs (SSM.features p l (SSM.update p l h x) x)
  | _, _, _ => True
  end.
End Step.

Record audited (m : SSM.model) (n : nat) (grows : list (list bool)) (low high : Z) : Prop := Audited {
  some_layer : SSM.layers m <> [];
  some_bits : 0 <= SSM.bits m;
  in_order : low <= high;
  weights_settle : Forall2 layer_settles (SSM.layers m) grows;
  steps_settle : forall w a, over n w -> (a < n)%nat ->
    step_settles (SSM.bits m) low high (SSM.layers m) grows (fst (SSM.run m w)) (SSM.embedded m a) }.

(* -- along straight lines, phi ends in straight lines -------------------------------------------------------------- *)

Section Lines.
Variable p : Z.

Definition ray (a b : Z) (n : nat) : Z := a * Z.of_nat n + b.

Lemma nth_line cs j n : nth j (line cs n) 0 = ray (fst (nth j cs (0, 0))) (snd (nth j cs (0, 0))) n.
Proof. unfold line, ray. revert j; induction cs as [|[a b] cs IH]; intros [|j]; simpl; auto. Qed.
Lemma line_app cs x n : line cs n ++ x = line (cs ++ map (pair 0) x) n.
Proof. unfold line. rewrite map_app. f_equal. symmetry. apply (line_constant x n). Qed.
Lemma steady_app grows cs x : steady grows cs -> steady grows (cs ++ map (pair 0) x).
Proof.
  intros S i I. destruct (Nat.lt_ge_cases i (length cs)) as [L|L].
  - rewrite app_nth1 by exact L. apply S, I.
  - rewrite app_nth2 by exact L. assert (C := steady_constant [] x (i - length cs)%nat). apply C.
      destruct (i - length cs)%nat; reflexivity.
Qed.

(* A row of a straight line is one; d divides its slope, if d divides the weights of what may grow. *)
Lemma row_line grows cs r d : steady grows cs -> (forall t, In t (snd r) -> may_grow grows t = true -> (d | snd t)) ->
  exists a b, (d | a) /\ forall n, SSM.row p (line cs n) r = ray a b n.
Proof.
  intros S. destruct r as [bias terms]. unfold SSM.row. cbn [fst snd].
  assert (G : forall a0 b0, (d | a0) -> (forall t, In t terms -> may_grow grows t = true -> (d | snd t)) ->
    exists a b, (d | a) /\ forall n,
      fold_left (fun total term => total + snd term * nth (fst term) (line cs n) 0) terms (ray a0 b0 n) = ray a b n).
  { induction terms as [|[j w] terms IH]; intros a0 b0 D0 D; [exists a0, b0; split; [exact D0|reflexivity]|].
    destruct (IH (a0 + w * fst (nth j cs (0, 0))) (b0 + w * snd (nth j cs (0, 0)))) as (a & b & D' & E).
    - apply Z.divide_add_r; [exact D0|]. destruct (nth j grows false) eqn:M.
      + apply Z.divide_mul_l. apply (D (j, w)); [left; reflexivity|exact M].
      + rewrite (S j M), Z.mul_0_r. apply Z.divide_0_r.
    - intros t I. apply D. right; exact I.
    - exists a, b. split; [exact D'|]. intro n. rewrite <- E. simpl. f_equal. rewrite nth_line. unfold ray. lia. }
  intro D. destruct (G 0 (bias * 2 ^ p) (Z.divide_0_r d) D) as (a & b & D' & E). exists a, b. split; [exact D'|].
  intro n. rewrite <- E. reflexivity.
Qed.

(* What is far out on a ray: above any bound, below any bound, or at rest. *)
Lemma ray_end a b c : (a = 0 /\ forall n, ray a b n = b) \/ (0 < a /\ exists N, forall n, (N <= n)%nat ->
  c <= ray a b n)
  \/ (a < 0 /\ exists N, forall n, (N <= n)%nat -> ray a b n <= c).
Proof.
  unfold ray. destruct (Z.lt_trichotomy a 0) as [A|[A|A]].
  - right; right. split; [exact A|]. exists (Z.to_nat (Z.abs b + Z.abs c)). intros n N. nia.
  - left. split; [exact A|]. intro n. subst; lia.
  - right; left. split; [exact A|]. exists (Z.to_nat (Z.abs b + Z.abs c)). intros n N. nia.
Qed.

Definition ends_on_ray (steady_end : bool) (f : nat -> Z) := exists a b,
  (steady_end = true -> a = 0) /\ eventually f (ray a b).

Lemma act_row grows e f r cs : steady grows cs -> mix_settles grows (SSM.Affine e [r], f) ->
  ends_on_ray (negb (negb (is_clip f)
    && existsb (may_grow grows) (snd r))) (fun n => SSM.act p e f (SSM.row p (line cs n) r / 2 ^ e)).
Proof.
  intros S [E M]. cbn [SSM.exponent SSM.rows fst snd] in *. assert (P : 0 < 2 ^ e) by (apply Z.pow_pos_nonneg; lia).
  destruct (is_clip f) eqn:C.
  - (* a clip of anything that goes one way comes to rest *)
    destruct f as [| |low high]; try discriminate. cbn [negb andb SSM.act].
    set (lo := SSM.stored p e low). set (hi := SSM.stored p e high).
    destruct (row_line grows cs r 1 S) as (a & b & _ & R); [intros; apply Z.divide_1_l|].
    destruct (ray_end a b (hi * 2 ^ e)) as [[A F]|[[A [N F]]|[A _]]].
    + exists 0, (Z.min (Z.max (b / 2 ^ e) lo) hi). split; [reflexivity|]. exists 0%nat. intros n _. rewrite R, F.
        unfold ray. lia.
    + exists 0, hi. split; [reflexivity|]. exists N. intros n L. rewrite R. specialize (F n L).
      assert (hi <= ray a b n / 2 ^ e) by (apply Z.div_le_lower_bound; lia). unfold ray at 2. lia.
    + destruct (ray_end a b (lo * 2 ^ e)) as [[A' _]|[[A' _]|[_ [N F]]]]; try lia.
      exists 0, (Z.min lo hi). split; [reflexivity|]. exists N. intros n L. rewrite R. specialize (F n L).
      assert (ray a b n / 2 ^ e <= lo) by (rewrite <- (Z.div_mul lo (2 ^ e)) by lia; apply Z.div_le_mono; lia).
        unfold ray at 2. lia.
  - (* else the slope is a multiple of 2^e, so that rounding does not see the line move *)
    cbn [negb andb].
    assert (D : exists a b, (existsb (may_grow grows) (snd r) = false -> a = 0) /\ forall n,
      SSM.row p (line cs n) r / 2 ^ e = ray a b n).
    { destruct (row_line grows cs r (2 ^ e) S) as (a & b & [q Q] & R);
      [intros t I; apply (M eq_refl r t (or_introl eq_refl) I)|].
      exists q, (b / 2 ^ e). split.
      - intro X. destruct (row_line grows cs r 0 S) as (a' & b' & Z' & R').
        + intros t I G. exfalso. assert (Y : existsb (may_grow grows) (snd r) = true) by (apply existsb_exists; eauto).
            congruence.
        + apply Z.divide_0_l in Z'. subst a'. assert (A0 := R 0%nat). assert (A1 := R 1%nat). rewrite R' in A0, A1.
            unfold ray in *. nia.
      - intro n. rewrite R. unfold ray. rewrite Q.
          replace (q * 2 ^ e * Z.of_nat n + b) with (q * Z.of_nat n * 2 ^ e + b) by lia.
        apply Z.div_add_l. lia. }
    destruct D as (a & b & Z0 & R). destruct f as [| |low high]; try discriminate; cbn [SSM.act].
    + destruct (ray_end a b 0) as [[A F]|[[A [N F]]|[A [N F]]]].
      * exists 0, (Z.max b 0). split; [reflexivity|]. exists 0%nat. intros n _. rewrite R, F. unfold ray. lia.
      * exists a, b. split; [intro X; apply Z0; destruct (existsb _ _); [discriminate|reflexivity]|]. exists N.
          intros n L. rewrite R. specialize (F n L). lia.
      * exists 0, 0. split; [reflexivity|]. exists N. intros n L. rewrite R. specialize (F n L). unfold ray at 2. lia.
    + exists a, b. split; [intro X; apply Z0; destruct (existsb _ _); [discriminate|reflexivity]|]. exists 0%nat.
        intros n _. apply R.
Qed.

Lemma mix_line grows m cs : steady grows cs -> mix_settles grows m ->
  exists cs', steady (grown grows m) cs' /\ eventually (fun n => SSM.mix p m (line cs n)) (line cs').
Proof.
  destruct m as [[e rows] f]. intros S M. unfold SSM.mix, SSM.raw, grown. cbn [fst snd SSM.exponent SSM.rows].
  induction rows as [|r rows IH].
  - exists []. split; [apply steady_nil|]. exists 0%nat. reflexivity.
  - destruct M as [E M]. cbn [fst snd SSM.exponent SSM.rows] in *.
    destruct IH as (cs' & S' & N1 & E1); [split; [exact E|]; intros C r' t I; apply M; [exact C|right; exact I]|].
    destruct (act_row grows e f r cs S) as (a & b & Z0 & N2 & E2);
      [split; [exact E|]; cbn [fst snd SSM.exponent SSM.rows]; intros C r' t [<-|[]]; apply M;
        [exact C|left; reflexivity]|].
    exists ((a, b) :: cs'). split.
    + cbn [map]. apply steady_cons. split; [|exact S']. intro X. apply Z0. rewrite X. reflexivity.
    + exists (Nat.max N1 N2). intros n L. cbn [map line]. rewrite E2 by lia. f_equal. apply E1. lia.
Qed.

Lemma features_line l x : forall grows cs, steady grows cs -> phi_settles grows (SSM.phi l) ->
  exists cs', eventually (fun n => SSM.features p l (line cs n) x) (line cs').
Proof.
  intros grows cs S P.
  assert (G : forall phi grows cs H, steady grows cs -> phi_settles grows phi -> eventually H (line cs) ->
    exists cs', eventually (fun n => fold_left (fun z m => SSM.mix p m (z ++ x)) phi (H n)) (line cs')).
  { clear. induction phi as [|m ms IH]; intros grows cs H S P E; [exists cs; exact E|]. destruct P as [P1 P2].
    destruct (mix_line grows m (cs ++ map (pair 0) x) (steady_app _ _ x S) P1) as (cs' & S' & N1 & E1).
      destruct E as [N E].
    apply (IH (grown grows m) cs' (fun n => SSM.mix p m (H n ++ x)) S' P2).
    exists (Nat.max N N1). intros n L. rewrite E by lia. rewrite line_app. apply E1. lia. }
  apply (G (SSM.phi l) grows cs (line cs) S P). exists 0%nat. reflexivity.
Qed.

(* Anything that ends by comparing with a bound settles. *)
Lemma map_settled {A} (s : Z -> A) : (forall a b, settled (fun n => s (ray a b n))) -> forall cs,
  settled (fun n => map s (line cs n)).
Proof.
  intro R. induction cs as [|[a b] cs [N1 E1]]; [exists 0%nat; intros n _; reflexivity|].
  destruct (R a b) as [N2 E2]. exists (Nat.max N1 N2). intros n L. simpl. unfold ray in E2.
  assert (A1 := E1 n ltac:(lia)). assert (A2 := E2 n ltac:(lia)).
  assert (B1 := E1 (Nat.max N1 N2) ltac:(lia)). assert (B2 := E2 (Nat.max N1 N2) ltac:(lia)). unfold line in *.
    congruence.
Qed.
Lemma positive_settled a b : settled (fun n => 0 <? ray a b n).
Proof.
  destruct (ray_end a b 1) as [[A F]|[[A [N F]]|[A _]]].
  - exists 0%nat. intros n _. rewrite !F. reflexivity.
  - exists N. intros n L. rewrite !(proj2 (Z.ltb_lt 0 _)); [reflexivity| |];
      [assert (X := F N (le_n N)); lia|specialize (F n L); lia].
  - destruct (ray_end a b 0) as [[A' _]|[[A' _]|[_ [N F]]]]; try lia.
    exists N. intros n L. rewrite !(proj2 (Z.ltb_ge 0 _)); [reflexivity|apply F, le_n|apply F, L].
Qed.
Lemma cut_settled low high a b : settled (fun n => cut low high (ray a b n)).
Proof.
  unfold cut. destruct (ray_end a b (Z.max low high)) as [[A F]|[[A [N F]]|[A _]]].
  - exists 0%nat. intros n _. rewrite !F. reflexivity.
  - exists N. intros n L. assert (X := F N (le_n N)). specialize (F n L). lia.
  - destruct (ray_end a b low) as [[A' _]|[[A' _]|[_ [N F]]]]; try lia.
    exists N. intros n L. assert (X := F N (le_n N)). specialize (F n L). lia.
Qed.
End Lines.

(* -- an audited model as one of UnboundedStates.v ------------------------------------------------------------------ *)

(* The same model with everything cut off that the audit excludes, which changes nothing on what words can reach. *)
Section Cut.
Variables (p low high : Z).
Hypothesis bits_nonnegative : 0 <= p.
Hypothesis low_high : low <= high.

Definition audited_map (l : SSM.layer) (gab : bool * (Z * Z)) (v : Z) : Z :=
  let '(g, (a, b)) := gab in
  let one := 2 ^ (p + SSM.exponent (SSM.gate l)) in
  let updated a := SSM.updated p (SSM.exponent (SSM.gate l)) (SSM.exponent (SSM.increment l)) (a, b, v) in
  if g then if a =? one then updated one else if a =? 0 then updated 0 else 0 else cut low high (updated (Z.max 0 a)).
Definition audited_layer (l : SSM.layer) (grows : list bool) (out : list Z -> list Z) : layer (list Z) := Layer (list Z)
  (fun x => map (audited_map l) (combine grows (combine (SSM.raw p (SSM.gate l) x) (SSM.raw p (SSM.increment l) x))))
  (fun h x => out (SSM.features p l h x)).

Lemma audited_map_kind l g ab : 0 <= SSM.exponent (SSM.gate l) -> 0 <= SSM.exponent (SSM.increment l) ->
  kind low high g (audited_map l (g, ab)).
Proof.
  intros G I. destruct ab as [a b]. unfold audited_map. set (eg := SSM.exponent (SSM.gate l)) in *.
    set (eb := SSM.exponent (SSM.increment l)) in *.
  destruct g; simpl.
  - assert (Pg : 0 < 2 ^ (p + eg)) by (apply Z.pow_pos_nonneg; lia).
      assert (Pb : 0 < 2 ^ eb) by (apply Z.pow_pos_nonneg; lia).
    assert (E : 2 ^ (p + eg + eb) = 2 ^ (p + eg) * 2 ^ eb) by (apply Z.pow_add_r; lia).
    destruct (a =? 2 ^ (p + eg)); [left|right].
    + exists (b * 2 ^ (p + eg) / 2 ^ (p + eg + eb)). intro v. rewrite E.
      replace (2 ^ (p + eg) * v * 2 ^ eb + b * 2 ^ (p + eg)) with (v * (2 ^ (p + eg) * 2 ^ eb) + b * 2 ^ (p + eg))
        by lia.
      apply Z.div_add_l. nia.
    + destruct (a =? 0); [|exists 0; reflexivity]. exists (b * 2 ^ (p + eg) / 2 ^ (p + eg + eb)). intro v. reflexivity.
  - split.
    + intros v w H. assert (U := updated_monotone p eg eb (Z.max 0 a) b ltac:(lia) v w H). unfold cut. simpl in *. lia.
    + intro v. unfold cut, within. lia.
Qed.
Lemma audited_layer_kinds l grows out x : layer_settles l grows ->
  Forall2 (kind low high) grows (maps _ (audited_layer l grows out) x).
Proof.
  intros (LG & LI & G & I & _). cbn [maps audited_layer].
  assert (L : length grows = length (combine (SSM.raw p (SSM.gate l) x) (SSM.raw p (SSM.increment l) x)))
    by (unfold SSM.raw; rewrite combine_length, !map_length; lia).
  revert L. generalize (combine (SSM.raw p (SSM.gate l) x) (SSM.raw p (SSM.increment l) x)). clear LG LI.
  induction grows as [|g grows IH]; intros [|ab abs] L; try discriminate; simpl; constructor.
  - apply audited_map_kind; assumption.
  - apply IH. injection L as L. exact L.
Qed.
Lemma audited_layer_drifts l grows out : layer_settles l grows -> (forall cs, settled (fun n => out (line cs n))) ->
  drifts (list Z) low high (audited_layer l grows out).
Proof.
  intros L O. exists grows. split; [intro x; apply audited_layer_kinds, L|]. intros cs x S. cbn [phi audited_layer].
  destruct (features_line p l x grows cs S (proj2 (proj2 (proj2 (proj2 L))))) as (cs' & N & E).
  destruct (O cs') as [N' E']. exists (Nat.max N N'). intros n H. rewrite !E by lia. rewrite (E' n) by lia. symmetry.
    apply E'. lia.
Qed.

Lemma audited_update l grows out h x : layer_settles l grows ->
  coordinates_settle low high (2 ^ (p + SSM.exponent (SSM.gate l))) grows (SSM.raw p (SSM.gate l) x)
    (SSM.update p l h x) ->
  update _ (audited_layer l grows out) h x = SSM.update p l h x.
Proof.
  intros (LG & LI & _). unfold update, pointwise, SSM.update. cbn [maps audited_layer].
  assert (A : length grows = length (SSM.raw p (SSM.gate l) x)) by (unfold SSM.raw; rewrite map_length; exact LG).
  revert A. clear LG LI. generalize (SSM.raw p (SSM.gate l) x) (SSM.raw p (SSM.increment l) x). intros A B.
    revert A B h.
  induction grows as [|g grows IH]; intros [|a A] [|b B] [|v h] L C; try discriminate; try reflexivity.
  simpl in C. destruct C as [C1 C2]. cbn [combine map fst snd].
    f_equal; [|apply IH; [injection L as L; exact L|exact C2]].
  unfold audited_map. destruct g.
  - destruct C1 as [-> | ->].
    + destruct (0 =? 2 ^ (p + SSM.exponent (SSM.gate l))) eqn:E;
        [apply Z.eqb_eq in E; rewrite <- E; reflexivity|reflexivity].
    + rewrite Z.eqb_refl. reflexivity.
  - destruct C1 as [C0 C1]. rewrite Z.max_r by exact C0. apply cut_inside, C1.
Qed.

(* The last layer gives out what the readout says, each other one its features. *)
Fixpoint audited_layers (out : list Z ->
  list Z) (ls : list SSM.layer) (grows : list (list bool)) : list (layer (list Z)) :=
  match ls, grows with
  | l :: ls, g :: grows => audited_layer l g (match ls with [] => out |
    _ => map (cut low high) end) :: audited_layers out ls grows
  | _, _ => []
  end.
Lemma audited_layers_drift out ls grows : Forall2 layer_settles ls grows ->
  (forall cs, settled (fun n => out (line cs n))) ->
  Forall (drifts (list Z) low high) (audited_layers out ls grows).
Proof.
  intros F O. induction F as [|l g ls grows L F IH]; constructor; [|exact IH]. apply audited_layer_drifts; [exact L|].
  destruct ls; [exact O|]. apply map_settled, cut_settled.
Qed.
Lemma cut_all x : Forall (within low high) x -> map (cut low high) x = x.
Proof. induction 1 as [|v x V X IH]; simpl; [reflexivity|]. rewrite IH, cut_inside by exact V. reflexivity. Qed.
Lemma audited_through out : forall ls grows hs x, ls <> [] -> Forall2 layer_settles ls grows -> length hs = length ls ->
  step_settles p low high ls grows hs x ->
  through _ (audited_layers out ls grows) hs x = (fst (SSM.through p ls hs x), out (snd (SSM.through p ls hs x))).
Proof.
  induction ls as [|l ls IH]; intros grows hs x N F L S; [congruence|]. inversion F as [|? g ? grows' F1 F2]; subst.
  destruct hs as [|h hs]; [discriminate|]. destruct S as (_ & S1 & S2). injection L as L.
  cbn [audited_layers through SSM.through]. rewrite (audited_update l g _ h x F1 S1). cbn [phi audited_layer].
  destruct ls as [|l' ls].
  - destruct hs; [|discriminate]. inversion F2; subst. reflexivity.
  - assert (X : Forall (within low high) (SSM.features p l (SSM.update p l h x) x)).
    { inversion F2; subst. destruct hs as [|h' hs]; [discriminate|]. exact (proj1 S2). }
    rewrite (cut_all _ X). rewrite (IH grows' hs _ ltac:(discriminate) F2 L S2).
    destruct (SSM.through p (l' :: ls) hs (SSM.features p l (SSM.update p l h x) x)). reflexivity.
Qed.
Lemma through_length ls : forall hs x, length hs = length ls -> length (fst (SSM.through p ls hs x)) = length ls.
Proof.
  induction ls as [|l ls IH]; intros [|h hs] x L; try discriminate; [reflexivity|]. simpl.
  specialize (IH hs (SSM.features p l (SSM.update p l h x) x) ltac:(injection L as L; exact L)).
  destruct (SSM.through p ls hs _). simpl in *. congruence.
Qed.
End Cut.

Section Same.
Variables (m : SSM.model) (n : nat) (grows : list (list bool)) (low high : Z).
Hypothesis A : audited m n grows low high.
Let p := SSM.bits m.

Definition signs (z : list Z) : list Z := map (fun v => if 0 <? v then 1 else 0) (SSM.raw p (SSM.readout m) z).
Lemma signs_settled cs : settled (fun k => signs (line cs k)).
Proof.
  unfold signs, SSM.raw. induction (SSM.rows (SSM.readout m)) as [|r rows [N E]];
    [exists 0%nat; intros k _; reflexivity|].
  assert (S : steady (map (fun _ => true) cs) cs).
  { clear. intros i I. revert i I. induction cs as [|ab cs IH]; intros [|i] I; simpl in *; try discriminate; auto. }
  destruct (row_line p _ cs r 1 S) as (a & b & _ & R); [intros; apply Z.divide_1_l|].
  destruct (positive_settled a b) as [N' E']. exists (Nat.max N N'). intros k K. cbn [map]. f_equal.
  - rewrite !R. rewrite (E' k) by lia. rewrite (E' (Nat.max N N')) by lia. reflexivity.
  - rewrite (E k) by lia. symmetry. apply E. lia.
Qed.

Definition audited_model : model nat (list Z) (list bool) :=
  Model _ _ _ (SSM.embedded m) (audited_layers p low high signs (SSM.layers m) grows)
  (let (hs, z) := SSM.through p (SSM.layers m) (SSM.start m) (SSM.embedded m (SSM.bos m)) in (hs, signs z))
  (map (Z.ltb 0)).

Lemma readout_signs z : map (Z.ltb 0) (signs z) = map (Z.ltb 0) (SSM.raw p (SSM.readout m) z).
Proof. unfold signs. rewrite map_map. apply map_ext. intro v. destruct (0 <? v); reflexivity. Qed.

Lemma audited_run w : over n w ->
  length (fst (SSM.run m w)) = length (SSM.layers m) /\
  fst (fold_left (step _ _ _ audited_model) w (start _ _ _ audited_model)) = fst (SSM.run m w) /\
  output audited_model w = snd (SSM.run m w).
Proof.
  induction w as [|a w IH] using rev_ind; intro O.
  - unfold output. cbn [fold_left start readout audited_model]. unfold SSM.run, SSM.begin, SSM.step. cbn [fold_left].
      fold p.
    assert (L := through_length p (SSM.layers m) (SSM.start m) (SSM.embedded m (SSM.bos m)) ltac:(unfold SSM.start;
      apply map_length)).
    destruct (SSM.through p (SSM.layers m) (SSM.start m) (SSM.embedded m (SSM.bos m))) as [hs z].
    split; [exact L|]. split; [reflexivity|]. apply readout_signs.
  - apply Forall_app in O as [O1 O2]. inversion O2; subst. destruct (IH O1) as (L & E & _).
    assert (S := steps_settle _ _ _ _ _ A w a O1 ltac:(assumption)).
    unfold output in *. rewrite run_snoc, fold_left_app. cbn [fold_left].
    set (s := fold_left (step _ _ _ audited_model) w (start _ _ _ audited_model)) in *.
    unfold step. cbn [layers embedding readout audited_model]. rewrite E. fold p in S.
    rewrite (audited_through p low high signs (SSM.layers m) grows); [|apply A|apply A|exact L|exact S].
    unfold SSM.step. fold p. assert (T := through_length p (SSM.layers m) (fst (SSM.run m w)) (SSM.embedded m a) L).
    destruct (SSM.through p (SSM.layers m) (fst (SSM.run m w)) (SSM.embedded m a)) as [hs z].
    split; [exact T|]. split; [reflexivity|]. apply readout_signs.
Qed.

(* The outputs of an audited model after u w^k v are the same for all large k. *)
Theorem audited_model_forgets_repetition : forall u w v, over n u -> over n w -> over n v ->
  exists N, forall k, (N <= k)%nat -> snd (SSM.run m (u ++ power w (S k) ++ v)) = snd (SSM.run m (u ++ power w k ++ v)).
Proof.
  intros u w v U W V.
  destruct (repetition_is_forgotten_in_the_end nat (list Z) (list bool) low high audited_model) with (u := u) (w :=
    w) (v := v) as [N E].
  - cbn [layers audited_model]. apply audited_layers_drift; [apply A|apply A|apply A|apply signs_settled].
  - exists N. intros k K. assert (R : forall k,
      output audited_model (u ++ power w k ++ v) = snd (SSM.run m (u ++ power w k ++ v)))
      by (intro j; apply audited_run, over_parts; assumption).
    rewrite <- !R. apply E, K.
Qed.
End Same.
Print Assumptions audited_model_forgets_repetition.

(* THE AUDIT IS RIGHT: a regular language that an audited model recognises, by any test on its outputs, is noncounting,
   so star-free. *)
Theorem audited_model_decides_at_most_star_free : forall m n grows low high test L, audited m n grows low high ->
  decides m n test L -> regular L -> noncounting L.
Proof.
  intros m n grows low high test L A [O D] R. apply regular_and_settling_is_noncounting; [exact R|]. intros u w v.
  assert (parts : forall k, (0 < k)%nat -> over n (u ++ power w k ++ v) <-> over n u /\ over n w /\ over n v).
  { intros [|j] J; [lia|]. unfold over. rewrite !Forall_app. simpl. rewrite Forall_app.
    split; [tauto|]. intros (X & Y & Z). repeat split; try assumption. apply over_power; exact Y. }
  destruct (Forall_dec _ (fun a => lt_dec a n) (u ++ w ++ v)) as [Y|Y].
  - apply Forall_app in Y as [U Y]. apply Forall_app in Y as [W V].
    destruct (audited_model_forgets_repetition m n grows low high A u w v U W V) as [N E]. exists N. intros k K.
      specialize (E k K).
    split; intro H; (apply D; [apply over_parts; assumption|]); apply D in H; try (apply over_parts; assumption);
      congruence.
  - exists 1%nat. intros k K. split; intro H; exfalso; apply Y; apply O in H; apply parts in H as (U & W & V); try lia;
      apply Forall_app; split; try assumption; apply Forall_app; split; assumption.
Qed.
Print Assumptions audited_model_decides_at_most_star_free.

Theorem no_audited_model_decides_parity : forall m grows low high test, audited m 2 grows low high ->
  ~ decides m 2 test parity.
Proof.
  intros m grows low high test A [O D].
  assert (W : over 2 [1%nat]) by (repeat constructor).
  destruct (audited_model_forgets_repetition m 2 grows low high A [] [1%nat] [] (Forall_nil _) W (Forall_nil _)) as
    [N E].
  specialize (E N (le_n N)). cbn [app] in E. rewrite !app_nil_r in E.
  assert (P := D (power [1%nat] N) (over_power _ _ _ W)). assert (Q := D (power [1%nat] (S N)) (over_power _ _ _ W)).
  rewrite parity_of_ones in P, Q. rewrite E, Nat.Even_succ in Q.
  destruct (Nat.Even_or_Odd N); apply (Nat.Even_Odd_False N); tauto.
Qed.
Print Assumptions no_audited_model_decides_parity.

(* The hypotheses are not empty: a counter that may grow for ever in both directions is audited (this one predicts
   Dyck-1). *)
Definition dyck_1 : SSM.model := SSM.Model 0 0 [[1; 0]; [0; 1]; [0; 0]]
  [SSM.Layer (SSM.Affine 0 [(1, [])]) (SSM.Affine 0 [(0, [(0%nat, 1); (1%nat, -1)])]) 0 [0]
     [(SSM.Affine 0 [(0, [(0%nat, 1)]); (-1, [(0%nat, 1)])], SSM.Relu);
      (SSM.Affine 0 [(1, [(0%nat, -1); (1%nat, 1)]); (0, [(0%nat, 1); (1%nat, -1)])], SSM.Relu)]]
  (SSM.Affine 0 [(1, []); (0, [(1%nat, 1)]); (0, [(0%nat, 1)])]).
Theorem a_counter_is_audited : audited dyck_1 2 [[true]] 0 1.
Proof.
  split; [discriminate|discriminate|discriminate| |].
  - constructor; [|constructor]. repeat (split; [reflexivity || discriminate|]). cbn [SSM.phi].
      repeat split; try discriminate;
      intros _ r t _ _ _; apply Z.divide_1_l.
  - intros w a O A. destruct (fst (SSM.run dyck_1 w)) as [|h hs]; [exact I|].
    destruct a as [|[|a]]; [| |lia]; (split; [repeat constructor; discriminate|]); (split; [|exact I]);
      destruct h as [|v h]; cbn; auto; split; auto; try exact I; right; reflexivity.
Qed.
Print Assumptions a_counter_is_audited.
