(* Do two layers predict Dyck(k, h), for EVERY number k of bracket types and every depth h?

   Sarrof, Veitsman, Hahn 2024, the construction for bounded hierarchical structure. [predictor k h] is the model that
   this project builds for k and h, weight by weight, as a function of k and h; that it is, tests compare for many
   sizes. The theorem is for all.

     layer 1   one coordinate: the depth.
     layer 2   slot j (j = 0 .. h - 1) has in B = ceil(log2 k) bits the type of the bracket opened last at depth j + 1.
               No stack is simulated: slots above the depth keep stale values, which nothing reads.

   With one type of bracket, or at depth 0, there is nothing to remember but the depth, and there is one layer. *)
Require Import ZArith List Bool Lia Arith.
From Verify Require Import SSM Languages.
From Verify.theorems Require Import Tables.
Import ListNotations.
Open Scope Z_scope.

(* -- the model ----------------------------------------------------------------------------------------------------- *)

(* Symbol 2 t opens type t, 2 t + 1 closes it. Features: opens, closes; and for an opening bracket the bits of its
   type. *)
Definition features_of (B a : nat) : list Z :=
  [one_or_zero (Nat.even a); one_or_zero (Nat.odd a)]
    ++ map (fun i => one_or_zero (Nat.even a && Nat.testbit (Nat.div2 a) i)) (seq 0 B).
(* rows of the embedding; the last is BOS *)
Definition symbols (k B : nat) : list (list Z) := map (features_of B) (seq 0 (2 * k)) ++ [repeat 0 (2 + B)].

(* depth' = depth + opens - closes *)
Definition depth_layer (phi : list (affine * activation)) : layer :=
  Layer (Affine 0 [(1, [])]) (Affine 0 [(0, [(0%nat, 1); (1%nat, -1)])]) 0 [0] phi.

(* relu(depth - corner) *)
Definition corner (c : Z) : Z * list (nat * Z) := (- c, [(0%nat, 1)]).

Section Slots.
Variables k h : nat.
Definition width : nat := Nat.log2_up k.                       (* B: bits of a type *)
Notation B := width.
Definition coordinates : nat := h * B.                         (* bit i of slot j is coordinate j B + i *)

(* Corners 0 .. h + 1 and then -1.  [depth = j + 1] = relu(d - j) - 2 relu(d - (j + 1)) + relu(d - (j + 2)). *)
Definition corners : list (Z * list (nat * Z)) := map (fun c => corner (Z.of_nat c)) (seq 0 (h + 2)) ++ [corner (-1)].
Definition at_depth (j : nat) : list (nat * Z) := [(j, 1); (S j, -2); (S (S j), 1)].
Definition depth_rows : list (Z * list (nat * Z)) :=
  map (fun j => (-1, at_depth j ++ [((h + 3)%nat, 1)])) (seq 0 h)  (* change slot j *)
  ++ map (fun c => (-1, at_depth (c / B) ++ [((h + 5 + c mod B)%nat, 1)])) (seq 0 coordinates)  (* write 1 there *)
  ++ map (fun j => (0, at_depth j)) (seq 0 h)               (* depth is j + 1 *)
  ++ [(0, [(0%nat, 1); (1%nat, -1)]);                       (* depth >= 1 *)
      (0, [(0%nat, -2); (1%nat, 1); ((h + 2)%nat, 1)]);     (* depth is 0 *)
      (1, [((h - 1)%nat, -1); (h, 1)])].                    (* depth < h *)

(* A slot that changes has gate 0 and takes the bits of the type, any other one has gate 1. *)
Definition slot_layer (phi : list (affine * activation)) : layer :=
  Layer (Affine 0 (map (fun c => (1, [((c / B)%nat, -1)])) (seq 0 coordinates)))
        (Affine 0 (map (fun c => (0, [((h + c)%nat, 1)])) (seq 0 coordinates))) 0 (repeat 0 coordinates) phi.

(* Of the slot at the current depth, bit by bit: [bit i of slot j, if the depth is j + 1] is neuron i h + j. *)
Definition top_rows : list (Z * list (nat * Z)) :=
  map (fun n => (-1, [((n mod h * B + n / h)%nat, 1);
    ((coordinates + (h + coordinates + n mod h))%nat, 1)])) (seq 0 coordinates).
Fixpoint bits_set (t n : nat) : Z := match n with O => 0 | S n => one_or_zero (Nat.testbit t n) + bits_set t n end.
(* close t is legal: the depth is at least 1, and all bits of the top are those of t *)
Definition legal_rows : list (Z * list (nat * Z)) :=
  map (fun t => (- bits_set t B, map (fun n => (n, if Nat.testbit t (n / h) then 1 else -1)) (seq 0 coordinates)
                                 ++ [((coordinates + (2 * h + coordinates))%nat, 1)])) (seq 0 k)
  ++ [(0, [((coordinates + (2 * h + coordinates + 1))%nat, 1)]);
    (0, [((coordinates + (2 * h + coordinates + 2))%nat, 1)])].

Definition two_layers : model := Model 0 0 (symbols k B)
  [depth_layer [mixed corners; mixed depth_rows]; slot_layer [mixed top_rows; mixed legal_rows]]
  (Affine 0 (map (fun a => (0, [(if Nat.even a then (k + 1)%nat else Nat.div2 a, 1)])) (seq 0 (2 * k))
    ++ [(0, [(k, 1)])])).

(* Corners -1, 0, 1, and where they are not among these h - 1 and h; the place of h - 1. *)
Definition few_corners : list Z :=
  match h with O | 1%nat => [-1; 0; 1] | 2%nat => [-1; 0; 1; 2] | _ => [-1; 0; 1; Z.of_nat h - 1; Z.of_nat h] end.
Definition place : nat := Nat.min h 3.
Definition one_layer : model := Model 0 0 (symbols k 0)
  [depth_layer [mixed (map corner few_corners);
                mixed [(0, [(0%nat, 1); (1%nat, -2); (2%nat, 1)]); (1, [(place, -1); (S place, 1)]);
                  (0, [(1%nat, 1); (2%nat, -1)])]]]
  (Affine 0 (map (fun a => (0, if Nat.even a then [(1%nat, 1)] else if Nat.eqb (Nat.div2 a) 0 then [(2%nat, 1)]
    else [])) (seq 0 (2 * k))
             ++ [(0, [(0%nat, 1)])])).

Definition predictor : model := if ((2 <=? k) && (1 <=? h))%nat then two_layers else one_layer.
End Slots.

(* -- one step of the depth ----------------------------------------------------------------------------------------- *)

Definition symbol_features (B : nat) (opens closes : bool) (type : nat -> bool) : list Z :=
  [oz opens; oz closes] ++ map (fun i => oz (opens && type i)) (seq 0 B).
Lemma repeat_tab n : repeat 0 n = map (fun i : nat => oz (false && Nat.testbit 0 i)) (seq 0 n).
Proof. simpl. generalize 0%nat as s. induction n as [|n IH]; intro s; simpl; [reflexivity|]. f_equal. apply IH. Qed.
Lemma symbol_row k B a : (a < 2 * k)%nat ->
  nth a (symbols k B) [] = symbol_features B (Nat.even a) (Nat.odd a) (Nat.testbit (Nat.div2 a)).
Proof. intro L. unfold symbols. rewrite nth_first by exact L. reflexivity. Qed.
Lemma bos_row k B : nth (pred (length (symbols k B))) (symbols k B) [] = symbol_features B false false (Nat.testbit 0).
Proof.
  unfold symbols. rewrite app_length, length_tab. simpl length. replace (pred (2 * k + 1)) with (2 * k + 0)%nat by lia.
  rewrite (nth_skip _ _ (2 * k)) by apply length_tab. cbn [nth]. unfold symbol_features. rewrite <- repeat_tab.
    reflexivity.
Qed.
Lemma depth_step phi d B opens closes type :
  update 0 (depth_layer phi) [d] (symbol_features B opens closes type) = [d + oz opens - oz closes].
Proof.
  rewrite update_whole by reflexivity. unfold raw. cbn [depth_layer gate increment SSM.rows map combine].
    rewrite !row_total.
  unfold total, symbol_features. cbn [fold_right fst snd nth app]. f_equal. lia.
Qed.

Section TwoLayers.
Variables k h : nat.
Hypothesis types : (2 <= k)%nat.
Hypothesis depths : (1 <= h)%nat.
Notation B := (width k).
Notation n := (coordinates k h).

Lemma width_positive : (0 < B)%nat.
Proof. unfold width. apply Nat.log2_up_pos. lia. Qed.
Lemma slot_below c : (c < n)%nat -> (c / B < h)%nat /\ (c mod B < B)%nat.
Proof.
  intro L. assert (P := width_positive).
    split; [apply Nat.div_lt_upper_bound; [lia|unfold coordinates in L; lia]|apply Nat.mod_upper_bound; lia].
Qed.

(* what layer 2 reads after a step to depth d *)
Definition depth_features (opens : bool) (type : nat -> bool) (d : nat) : list Z :=
  map (fun j => oz (opens && Nat.eqb d (S j))) (seq 0 h)
  ++ map (fun c => oz (opens && Nat.eqb d (S (c / B)) && type (c mod B)%nat)) (seq 0 n)
  ++ map (fun j => oz (Nat.eqb d (S j))) (seq 0 h)
  ++ [oz (Nat.leb 1 d); oz (Nat.eqb d 0); oz (Nat.ltb d h)].

Lemma depth_features_right opens closes type d : (d <= h)%nat ->
  features 0 (depth_layer [mixed (corners h);
    mixed (depth_rows k h)]) [Z.of_nat d] (symbol_features B opens closes type)
  = depth_features opens type d.
Proof.
  intro D. unfold features. cbn [fold_left depth_layer phi]. set (x := symbol_features B opens closes type).
  rewrite (mix_relu (corners h)). set (m := map _ (corners h)).
  assert (Lm : length m = (h + 3)%nat) by (unfold m, corners; rewrite map_length, app_length, length_tab; simpl; lia).
  assert (low : forall j, (j <= h + 1)%nat -> nth j (m ++ x) 0 = Z.max (Z.of_nat d - Z.of_nat j) 0).
  { intros j L. rewrite app_nth1 by lia. unfold m, corners. rewrite map_app, map_map, nth_first by lia. unfold total.
    cbn [corner fst snd fold_right nth app]. lia. }
  assert (last : nth (h + 2 + 0) (m ++ x) 0 = Z.of_nat d + 1).
  { rewrite app_nth1 by lia. unfold m, corners. rewrite map_app, map_map.
    rewrite (nth_skip _ _ (h + 2)) by apply length_tab. unfold total. cbn [map nth corner fst snd fold_right app]. lia.
      }
  rewrite Nat.add_0_r in last.
  assert (at_value : forall j, (j < h)%nat -> total (m ++ x) (at_depth j) = oz (Nat.eqb d (S j))).
  { intros j L. unfold at_depth, total. cbn [fold_right fst snd]. rewrite !low by lia.
    destruct (Nat.eqb_spec d (S j)); simpl oz; lia. }
  assert (open_value : nth (h + 3) (m ++ x) 0 = oz opens)
    by (replace (h + 3)%nat with (h + 3 + 0)%nat by lia; rewrite (nth_skip _ _ (h + 3)) by exact Lm; reflexivity).
  assert (bit_value : forall i, (i < B)%nat -> nth (h + 5 + i) (m ++ x) 0 = oz (opens && type i)).
  { intros i L. replace (h + 5 + i)%nat with (h + 3 + (2 + i))%nat by lia. rewrite (nth_skip _ _ (h + 3)) by exact Lm.
    unfold x, symbol_features. rewrite (nth_skip [_; _] _ 2) by reflexivity.
    apply (nth_tab (fun i => oz (opens && type i))), L. }
  rewrite mix_relu. unfold depth_rows, depth_features. rewrite !map_app, !map_map.
  repeat match goal with |- _ ++ _ = _ ++ _ => apply (f_equal2 (@app Z)) end.
  - apply tab_ext. intros j L. cbn [fst snd]. rewrite total_app, at_value by exact L. unfold total.
      cbn [fold_right fst snd]. rewrite open_value.
    destruct opens, (Nat.eqb d (S j)); reflexivity.
  - apply tab_ext. intros c L. destruct (slot_below c L) as [J I]. cbn [fst snd].
      rewrite total_app, at_value by exact J.
    unfold total. cbn [fold_right fst snd]. rewrite bit_value by exact I.
      destruct opens, (Nat.eqb d (S (c / B))), (type (c mod B)%nat); reflexivity.
  - apply tab_ext. intros j L. cbn [fst snd]. rewrite at_value by exact L. destruct (Nat.eqb d (S j)); reflexivity.
  - cbn [map fst snd total fold_right]. rewrite last, !low by lia.
    repeat match goal with |- _ :: _ = _ :: _ => apply (f_equal2 cons) end; [| | |reflexivity].
    + destruct d; simpl Nat.leb; simpl oz; lia.
    + destruct d; simpl Nat.eqb; simpl oz; lia.
    + destruct (Nat.ltb_spec d h); simpl oz; lia.
Qed.

(* -- one step of the slots ----------------------------------------------------------------------------------------- *)

Definition slots (s : nat -> bool) : list Z := map (fun c => oz (s c)) (seq 0 n).
Definition written (opens : bool) (type : nat -> bool) (d : nat) (s : nat -> bool) (c : nat) : bool :=
  if opens && Nat.eqb d (S (c / B)) then type (c mod B)%nat else s c.

Lemma slot_step phi s opens type d :
  update 0 (slot_layer k h phi) (slots s) (depth_features opens type d) = slots (written opens type d s).
Proof.
  rewrite update_whole by reflexivity. unfold raw. cbn [slot_layer gate increment SSM.rows]. rewrite !map_map.
    unfold slots.
  rewrite combine_tab, combine_tab, map_map. apply tab_ext. intros c L. destruct (slot_below c L) as [J I].
  rewrite !row_total. unfold total. cbn [fold_right fst snd]. unfold depth_features at 1 2.
  rewrite nth_first by exact J. rewrite (nth_skip _ _ h) by apply length_tab. rewrite nth_first by exact L.
  unfold written. destruct opens, (Nat.eqb d (S (c / B))), (type (c mod B)%nat), (s c); reflexivity.
Qed.

(* what the readout reads: whether type t may close, whether the depth is 0, and whether it is below h *)
Definition tops (d : nat) (s : nat -> bool) (t : nat) : Z := - bits_set t B
  + sum B (fun i => (if Nat.testbit t i then 1 else -1) * (if Nat.leb 1 d then oz (s (pred d * B + i)%nat)
      else 0)) + oz (Nat.leb 1 d).

Lemma slot_features_right s opens type d : (d <= h)%nat ->
  features 0 (slot_layer k h [mixed (top_rows k h); mixed (legal_rows k h)]) (slots s) (depth_features opens type d)
  = map (fun t => Z.max (tops d s t) 0) (seq 0 k) ++ [oz (Nat.eqb d 0); oz (Nat.ltb d h)].
Proof.
  intro D. unfold features. cbn [fold_left slot_layer phi]. set (x := depth_features opens type d).
  assert (eq_value : forall l j, length l = n -> (j < h)%nat ->
    nth (n + (h + n + j)) (l ++ x) 0 = oz (Nat.eqb d (S j))).
  { intros l j E L. rewrite (nth_skip _ _ n) by exact E. unfold x, depth_features. rewrite <- Nat.add_assoc.
    rewrite (nth_skip _ _ h) by apply length_tab. rewrite (nth_skip _ _ n) by apply length_tab.
    apply (nth_first (fun j => oz (Nat.eqb d (S j)))), L. }
  assert (end_value : forall l i, length l = n -> nth (n + (2 * h + n + i)) (l ++ x) 0 = nth i [oz (Nat.leb 1 d);
    oz (Nat.eqb d 0); oz (Nat.ltb d h)] 0).
  { intros l i E. rewrite (nth_skip _ _ n) by exact E. unfold x, depth_features.
    replace (2 * h + n + i)%nat with (h + (n + (h + i)))%nat by lia.
    rewrite (nth_skip _ _ h) by apply length_tab. rewrite (nth_skip _ _ n) by apply length_tab.
      apply (nth_skip _ _ h), length_tab. }
  assert (top : mix 0 (mixed (top_rows k h)) (slots s ++ x)
                = map (fun m => oz (Nat.eqb d (S (m mod h)) && s (m mod h * B + m / h)%nat)) (seq 0 n)).
  { rewrite mix_relu. unfold top_rows. rewrite map_map. apply tab_ext. intros m L. cbn [fst snd]. unfold total.
    cbn [fold_right fst snd].
    assert (J : (m mod h < h)%nat) by (apply Nat.mod_upper_bound; lia).
    assert (I : (m / h < B)%nat) by (apply Nat.div_lt_upper_bound; [lia|exact L]).
    rewrite eq_value by (try apply length_tab; exact J). unfold slots. rewrite nth_first by (unfold coordinates; nia).
    destruct (s (m mod h * B + m / h)%nat), (Nat.eqb d (S (m mod h))); reflexivity. }
  rewrite top. set (u := map _ (seq 0 n)). assert (Lu : length u = n) by apply length_tab.
  rewrite mix_relu. unfold legal_rows. rewrite map_app, map_map. apply (f_equal2 (@app Z)).
  - apply tab_ext. intros t L. cbn [fst snd]. f_equal. rewrite total_app. unfold tops.
    rewrite (total_tab _ (fun m => if Nat.testbit t (m / h) then 1
      else -1) (fun m => oz (Nat.eqb d (S (m mod h)) && s (m mod h * B + m / h)%nat)))
      by (intros i I; apply (nth_first (fun m => oz (Nat.eqb d (S (m mod h)) && s (m mod h * B + m / h)%nat))), I).
    unfold total. cbn [fold_right fst snd]. rewrite <- (Nat.add_0_r (2 * h + n)), end_value by exact Lu. cbn [nth].
    rewrite Z.mul_1_l, Z.add_0_r, Z.add_assoc. f_equal. f_equal. unfold coordinates.
      rewrite (Nat.mul_comm h B), sum_blocks.
    apply sum_ext. intros i I.
    transitivity (sum h (fun j => (if Nat.testbit t i then 1 else -1) * oz (Nat.eqb d (S j) && s (j * B + i)%nat))).
    + apply sum_ext. intros j J. rewrite Nat.div_add_l by lia. rewrite (Nat.div_small j h J), Nat.add_0_r.
      rewrite (Nat.add_comm (i * h) j), Nat.mod_add by lia. rewrite (Nat.mod_small j h J). reflexivity.
    + rewrite (sum_pick h d (fun j => s (j * B + i)%nat)) by exact D. destruct (Nat.leb 1 d); lia.
  - cbn [map fst snd total fold_right]. rewrite !end_value by exact Lu. cbn [nth].
      destruct (Nat.eqb d 0), (Nat.ltb d h); reflexivity.
Qed.

(* -- the slot of the current depth names the one closing bracket that is legal ------------------------------------- *)

Lemma bits_agree t (top : nat -> bool) b :
  let v := - bits_set t b + sum b (fun i => (if Nat.testbit t i then 1 else -1) * oz (top i)) in
  v <= 0 /\ (v = 0 <-> forall i, (i < b)%nat -> top i = Nat.testbit t i).
Proof.
  induction b as [|b IH]; cbn [bits_set sum]; [split; [lia|]; split; [intros _ i L; lia|reflexivity]|].
    destruct IH as [N E].
  set (v := - bits_set t b + sum b _) in *.
  assert (here : let e := (if Nat.testbit t b then 1 else -1) * oz (top b) - oz (Nat.testbit t b) in e <= 0
    /\ (e = 0 <-> top b = Nat.testbit t b))
    by (destruct (Nat.testbit t b), (top b); simpl; split; try lia; split; intro X; try reflexivity; try discriminate X;
      lia).
  destruct here as [N' E']. set (e := _ * oz (top b) - _) in *.
    replace (_ + (_ + _)) with (v + e) by (unfold v, e; lia).
  split; [lia|]. split.
  - intros Z0 i L. destruct (Nat.eq_dec i b) as [->|D]; [apply E'; lia|apply E; lia].
  - intro A. assert (v = 0) by (apply E; intros i L; apply A; lia). assert (e = 0) by (apply E', A; lia). lia.
Qed.
Lemma type_has_width t : (t < k)%nat -> (t < 2 ^ B)%nat.
Proof. intro L. unfold width. destruct (Nat.log2_up_spec k) as [_ U]; lia. Qed.
Lemma same_type t u : (t < k)%nat -> (u < k)%nat -> (forall i, (i < B)%nat -> Nat.testbit u i = Nat.testbit t i) ->
  t = u.
Proof.
  intros T U E. apply Nat.bits_inj. intro i. destruct (Nat.lt_ge_cases i B) as [L|L]; [symmetry; apply E, L|].
  assert (above : forall v, (v < k)%nat -> Nat.testbit v i = false).
  { intros v V. destruct (Nat.eq_dec v 0) as [->|N]; [apply Nat.bits_0|]. apply Nat.bits_above_log2.
    apply Nat.lt_le_trans with B; [apply Nat.log2_lt_pow2; [lia|apply type_has_width, V]|exact L]. }
  rewrite !above by assumption. reflexivity.
Qed.

(* The stack: bit i of the type in slot j, wherever j is below the depth; anything above it. *)
Definition holds (q : list nat) (s : nat -> bool) : Prop :=
  forall c, (c < n)%nat -> (c / B < length q)%nat -> s c = Nat.testbit (nth (c / B) (rev q) 0%nat) (c mod B).

Lemma nth_top u q : nth (length q) (rev (u :: q)) 0%nat = u.
Proof. simpl rev. rewrite app_nth2; rewrite rev_length; [|lia]. rewrite Nat.sub_diag. reflexivity. Qed.
Lemma nth_below u q j : (j < length q)%nat -> nth j (rev (u :: q)) 0%nat = nth j (rev q) 0%nat.
Proof. intro L. simpl rev. apply app_nth1. rewrite rev_length. exact L. Qed.

Lemma top_is_legal q s t : (length q <= h)%nat -> Forall (fun u => (u < k)%nat) q -> holds q s -> (t < k)%nat ->
  (0 <? Z.max (tops (length q) s t) 0) = match q with u :: _ => Nat.eqb u t | [] => false end.
Proof.
  intros D T H L. unfold tops. destruct q as [|u q].
  - destruct (bits_agree t (fun _ => false) B) as [N _]. cbn [length Nat.leb].
    apply Z.ltb_ge. rewrite (sum_ext _ (fun i => (if Nat.testbit t i then 1 else -1) * oz false)) by reflexivity.
      simpl oz in *. lia.
  - simpl length in *. cbn [Nat.leb pred]. destruct (bits_agree t (fun i => s (length q * B + i)%nat) B) as [N E].
    set (v := - bits_set t B + _) in *. simpl oz. inversion T; subst.
    assert (S' : forall i, (i < B)%nat -> s (length q * B + i)%nat = Nat.testbit u i).
    { intros i I. assert (Q : ((length q * B + i) / B = length q)%nat)
      by (rewrite Nat.div_add_l by lia; rewrite Nat.div_small by exact I; lia).
      assert (R : ((length q * B + i) mod B = i)%nat) by (rewrite Nat.add_comm, Nat.mod_add by lia; apply Nat.mod_small,
        I).
      rewrite H; [rewrite Q, R, nth_top; reflexivity|unfold coordinates; nia|rewrite Q; simpl; lia]. }
    destruct (Nat.eqb_spec u t) as [->|X].
    + assert (v = 0) by (apply E; exact S'). apply Z.ltb_lt. lia.
    + assert (v <> 0) by (intro V; apply X; symmetry; apply same_type; [exact L|assumption|]; intros i I; rewrite <- S'
        by exact I; apply E; assumption).
      apply Z.ltb_ge. lia.
Qed.

(* -- outputs ------------------------------------------------------------------------------------------------------- *)

Lemma half_below a : (a < 2 * k)%nat -> (Nat.div2 a < k)%nat.
Proof. intro L. rewrite Nat.div2_div. apply Nat.div_lt_upper_bound; lia. Qed.
Lemma positive_one_or_zero b : (0 <? oz b) = b.
Proof. destruct b; reflexivity. Qed.

Lemma outputs_right q s : (length q <= h)%nat -> Forall (fun u => (u < k)%nat) q -> holds q s ->
  map (Z.ltb 0) (raw 0 (readout (two_layers k h)) (map (fun t => Z.max (tops (length q) s t) 0) (seq 0 k)
                                                     ++ [oz (Nat.eqb (length q) 0); oz (Nat.ltb (length q) h)]))
  = dyck_answer k h q.
Proof.
  intros D T H. set (z := _ ++ [_; _]). unfold raw, dyck_answer. cbn [readout two_layers SSM.rows].
  rewrite !map_app, !map_map. apply (f_equal2 (@app bool)).
  - apply tab_ext. intros a L. rewrite row_total. unfold total. cbn [fold_right fst snd].
    assert (V := half_below a L). unfold dyck_next. rewrite (proj2 (Nat.ltb_lt _ _) V). cbn [negb].
      destruct (Nat.even a).
    + unfold z. rewrite (nth_skip _ _ k) by apply length_tab. cbn [nth].
        rewrite Z.mul_1_l, Z.add_0_r, Z.add_0_l, positive_one_or_zero.
      destruct (length q <? h)%nat; reflexivity.
    + unfold z. rewrite nth_first by exact V. rewrite Z.mul_1_l, Z.add_0_r, Z.add_0_l, (top_is_legal q s _ D T H V).
      destruct q as [|u q]; [reflexivity|]. destruct (u =? Nat.div2 a)%nat; reflexivity.
  - cbn [map]. rewrite row_total. unfold total. cbn [fold_right fst snd]. unfold z.
    rewrite <- (Nat.add_0_r k) at 1. rewrite (nth_skip _ _ k) by apply length_tab. cbn [nth].
    rewrite Z.mul_1_l, Z.add_0_r, Z.add_0_l, positive_one_or_zero. destruct q; reflexivity.
Qed.

(* -- the theorem, with slots --------------------------------------------------------------------------------------- *)

Definition related (q : list nat) (hs : list (list Z)) : Prop :=
  (length q <= h)%nat /\ Forall (fun u => (u < k)%nat) q /\ exists s,
    hs = [[Z.of_nat (length q)]; slots s] /\ holds q s.

Lemma step_right d s x opens closes type q : (length q <= h)%nat -> Forall (fun u => (u < k)%nat) q ->
  d + oz opens - oz closes = Z.of_nat (length q) -> holds q (written opens type (length q) s) ->
    x = symbol_features B opens closes type ->
  let (hs, z) := through 0 (layers (two_layers k h)) [[d]; slots s] x in
  related q hs /\ map (Z.ltb 0) (raw 0 (readout (two_layers k h)) z) = dyck_answer k h q.
Proof.
  intros D T E H ->. cbn [layers two_layers through]. rewrite depth_step, E, depth_features_right by exact D.
  rewrite slot_step, slot_features_right by exact D. split; [|apply outputs_right; assumption].
  split; [exact D|]. split; [exact T|]. exists (written opens type (length q) s). split; [reflexivity|exact H].
Qed.

Lemma two_layers_embedded a : embedded (two_layers k h) a = nth a (symbols k B) [].
Proof. unfold embedded. cbn [bits embedding_exponent embedding two_layers]. apply map_stored_whole. Qed.
Lemma two_layers_start : start (two_layers k h) = [[0]; slots (fun _ => false)].
Proof.
  unfold start. cbn [layers two_layers map initial initial_exponent bits depth_layer slot_layer].
    rewrite !map_stored_whole.
  unfold slots. rewrite repeat_tab. reflexivity.
Qed.

Lemma two_layers_compute : computes (two_layers k h) (dyck k h) (2 * k).
Proof.
  assert (begins : related [] (fst (begin (two_layers k h))) /\ snd (begin (two_layers k h)) = dyck_answer k h []).
  { unfold begin, step. rewrite two_layers_start, two_layers_embedded. change (bits (two_layers k h)) with 0.
    assert (R := step_right 0 (fun _ => false) _ false false (Nat.testbit 0) [] (Nat.le_0_l h) (Forall_nil _) eq_refl
                   ltac:(intros c C L; simpl in L; lia) (bos_row k B)).
    unfold bos. cbn [embedding two_layers]. destruct (through 0 _ _ _). exact R. }
  destruct begins as [R0 A0].
  apply relation_computes with (R := related); [exact R0|exact A0|].
  intros q hs a q' (D & T & s & -> & H) L N. cbn [next dyck] in N.
  assert (T' := dyck_types k h q a q' T N). assert (V := half_below a L).
  unfold dyck_next in N. rewrite (proj2 (Nat.ltb_lt _ _) V) in N. cbn [negb] in N.
  assert (next_state : (length q' <= h)%nat /\ Z.of_nat (length q) + oz (Nat.even a) - oz (Nat.odd a)
    = Z.of_nat (length q') /\
    holds q' (written (Nat.even a) (Nat.testbit (Nat.div2 a)) (length q') s)).
  { rewrite <- Nat.negb_even. destruct (Nat.even a).
    - destruct (Nat.ltb_spec (length q) h) as [Lt|]; [|discriminate]. injection N as <-. split; [simpl; lia|].
        split; [simpl length; simpl oz; lia|].
      intros c C J. unfold written. destruct (slot_below c C) as [Jh I]. cbn [andb]. simpl length in *.
      destruct (Nat.eqb_spec (S (length q)) (S (c / B))) as [E|E].
      + injection E as E. rewrite <- E, nth_top. reflexivity.
      + rewrite nth_below by lia. apply H; [exact C|lia].
    - destruct q as [|u q]; [discriminate|]. destruct (u =? Nat.div2 a)%nat; [|discriminate]. injection N as <-.
      simpl length in *. split; [lia|]. split; [simpl oz; lia|].
      intros c C J. unfold written. cbn [andb]. rewrite H by (try exact C; simpl; lia). rewrite nth_below by exact J.
        reflexivity. }
  destruct next_state as (D' & E & H').
  assert (R := step_right _ s (nth a (symbols k B) []) (Nat.even a) (Nat.odd a) _ q' D' T' E H' (symbol_row k B a L)).
  unfold step. rewrite two_layers_embedded. change (bits (two_layers k h)) with 0. destruct (through 0 _ _ _). exact R.
Qed.
End TwoLayers.

(* -- without slots ------------------------------------------------------------------------------------------------- *)

Section OneLayer.
Variables k h : nat.
Hypothesis simple : (k <= 1)%nat \/ h = 0%nat.

Lemma few_features d opens closes type : (d <= h)%nat ->
  features 0 (depth_layer [mixed (map corner (few_corners h));
    mixed [(0, [(0%nat, 1); (1%nat, -2); (2%nat, 1)]); (1, [(place h, -1); (S (place h), 1)]);
      (0, [(1%nat, 1); (2%nat, -1)])]])
    [Z.of_nat d] (symbol_features 0 opens closes type) = [oz (Nat.eqb d 0); oz (Nat.ltb d h); oz (Nat.leb 1 d)].
Proof.
  intro D. unfold features. cbn [fold_left depth_layer phi]. rewrite !mix_relu, map_map. unfold total.
  assert (E : forall rest, map
    (fun c => Z.max (fst (corner c) + fold_right (fun t sum => snd t * nth (fst t) ([Z.of_nat d]
    ++ rest) 0 + sum) 0 (snd (corner c))) 0) (few_corners h)
              = map (fun c => Z.max (Z.of_nat d - c) 0) (few_corners h))
    by (intro rest; apply map_ext; intro c; unfold corner; cbn [fst snd fold_right nth app]; lia).
  rewrite E. clear E. unfold few_corners, place.
  destruct h as [|[|[|h']]]; cbn [map app nth fst snd fold_right Nat.min]; rewrite ?Nat.min_0_r;
    repeat match goal with |- _ :: _ = _ :: _ => apply (f_equal2 cons) end; try reflexivity;
    match goal with |- _ = oz ?b => destruct b eqn:X end; simpl oz;
    rewrite ?Nat.eqb_eq, ?Nat.eqb_neq, ?Nat.leb_le, ?Nat.leb_gt, ?Nat.ltb_lt, ?Nat.ltb_ge in X; lia.
Qed.

Definition depth_related (q : list nat) (hs : list (list Z)) : Prop :=
  (length q <= h)%nat /\ Forall (fun u => (u < k)%nat) q /\ hs = [[Z.of_nat (length q)]].

Lemma few_outputs q : (length q <= h)%nat -> Forall (fun u => (u < k)%nat) q ->
  map (Z.ltb 0) (raw 0 (readout (one_layer k h)) [oz (Nat.eqb (length q) 0); oz (Nat.ltb (length q) h);
    oz (Nat.leb 1 (length q))])
  = dyck_answer k h q.
Proof.
  intros D T. unfold raw, dyck_answer. cbn [readout one_layer SSM.rows]. rewrite !map_app, !map_map.
    apply (f_equal2 (@app bool)).
  - apply tab_ext. intros a L. rewrite row_total.
      assert (V : (Nat.div2 a < k)%nat) by (rewrite Nat.div2_div; apply Nat.div_lt_upper_bound; lia).
    unfold dyck_next. rewrite (proj2 (Nat.ltb_lt _ _) V). cbn [negb]. destruct (Nat.even a).
    + unfold total. cbn [fold_right fst snd nth]. destruct (length q <? h)%nat; reflexivity.
    + destruct q as [|u q]; [destruct (Nat.eqb (Nat.div2 a) 0); reflexivity|].
      destruct simple as [K|Z0]; [|subst h; simpl in D; lia]. inversion T; subst.
      replace (Nat.div2 a) with 0%nat by lia. replace u with 0%nat by lia. reflexivity.
  - cbn [map]. rewrite row_total. unfold total. cbn [fold_right fst snd nth]. destruct q; reflexivity.
Qed.

Lemma depth_step_right d x opens closes type q : (length q <= h)%nat -> Forall (fun u => (u < k)%nat) q ->
  d + oz opens - oz closes = Z.of_nat (length q) -> x = symbol_features 0 opens closes type ->
  let (hs, z) := through 0 (layers (one_layer k h)) [[d]] x in
  depth_related q hs /\ map (Z.ltb 0) (raw 0 (readout (one_layer k h)) z) = dyck_answer k h q.
Proof.
  intros D T E ->. cbn [layers one_layer through]. rewrite depth_step, E, few_features by exact D.
  split; [|apply few_outputs; assumption]. split; [exact D|]. split; [exact T|reflexivity].
Qed.

Lemma one_layer_computes : computes (one_layer k h) (dyck k h) (2 * k).
Proof.
  assert (embed : forall a, embedded (one_layer k h) a = nth a (symbols k 0) [])
    by (intro a; unfold embedded; cbn [bits embedding_exponent embedding one_layer]; apply map_stored_whole).
  assert (begins : depth_related [] (fst (begin (one_layer k h))) /\ snd (begin (one_layer k h)) = dyck_answer k h []).
  { unfold begin, step. rewrite embed. change (bits (one_layer k h)) with 0. change (start (one_layer k h)) with [[0]].
    assert (R := depth_step_right 0 _ false false (Nat.testbit 0) [] (Nat.le_0_l h) (Forall_nil _) eq_refl
      (bos_row k 0)).
    unfold bos. cbn [embedding one_layer]. destruct (through 0 _ _ _). exact R. }
  destruct begins as [R0 A0].
  apply relation_computes with (R := depth_related); [exact R0|exact A0|].
  intros q hs a q' (D & T & ->) L N. cbn [next dyck] in N. assert (T' := dyck_types k h q a q' T N).
  assert (next_state : (length q' <= h)%nat /\ Z.of_nat (length q) + oz (Nat.even a) - oz (Nat.odd a)
    = Z.of_nat (length q')).
  { unfold dyck_next in N. destruct (Nat.div2 a <? k)%nat; [|discriminate]. cbn [negb] in N. rewrite <- Nat.negb_even.
    destruct (Nat.even a).
    - destruct (Nat.ltb_spec (length q) h); [|discriminate]. injection N as <-. simpl length; simpl oz; lia.
    - destruct q as [|u q]; [discriminate|]. destruct (u =? Nat.div2 a)%nat; [|discriminate]. injection N as <-.
        simpl length in *; simpl oz; lia. }
  destruct next_state as [D' E].
  assert (R := depth_step_right _ (nth a (symbols k 0) []) (Nat.even a) (Nat.odd a) _ q' D' T' E (symbol_row k 0 a L)).
  unfold step. rewrite embed. change (bits (one_layer k h)) with 0. destruct (through 0 _ _ _). exact R.
Qed.
End OneLayer.

(* -- the theorem --------------------------------------------------------------------------------------------------- *)

(* For every number of bracket types and every depth: after every prefix of a word of Dyck(k, h), of any length, the
   model says exactly which brackets may come next and whether the prefix is a word. *)
Theorem predictor_computes_bounded_dyck : forall k h, computes (predictor k h) (dyck k h) (2 * k).
Proof.
  intros k h. unfold predictor. destruct (Nat.leb_spec 2 k) as [K|K]; [destruct (Nat.leb_spec 1 h) as [H|H]|];
    cbn [andb].
  - apply two_layers_compute; assumption.
  - apply one_layer_computes. right. lia.
  - apply one_layer_computes. left. lia.
Qed.
Print Assumptions predictor_computes_bounded_dyck.

(* Its memory: h ceil(log2 k) bits and a counter from 0 to h. *)
Theorem predictor_width : forall k h, (2 <= k)%nat -> (1 <= h)%nat ->
  map (@length Z) (start (predictor k h)) = [1%nat; (h * Nat.log2_up k)%nat].
Proof.
  intros k h K H. unfold predictor. rewrite (proj2 (Nat.leb_le 2 k) K), (proj2 (Nat.leb_le 1 h) H). cbn [andb].
  unfold start. cbn [layers two_layers map initial depth_layer slot_layer]. rewrite !map_length. simpl length.
    rewrite repeat_length. reflexivity.
Qed.
Print Assumptions predictor_width.
