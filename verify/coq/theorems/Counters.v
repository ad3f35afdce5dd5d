(* How does a layer of counters step, and what do its first neurons say?

   Lemmas, and no claim, shared by Shuffles.v and EqualRuns.v. Counter i has two neurons, relu(c) and relu(c - 1),
   whose difference is 1 where it is positive. *)
Require Import ZArith List Bool Lia Arith.
From Verify Require Import SSM Languages.
From Verify.theorems Require Import Tables.
Import ListNotations.
Open Scope Z_scope.

(* one coordinate of n that is 1 *)
Definition one_hot (n a : nat) : list Z := map (fun j => oz (Nat.eqb j a)) (seq 0 n).
(* neurons 2 i and 2 i + 1 *)
Definition corner_of_counter (n : nat) : Z * list (nat * Z) := (- oz (Nat.odd n), [(Nat.div2 n, 1)]).

Lemma find_app {A} (P : A -> bool) l r : find P (l ++ r) = match find P l with Some x => Some x | None => find P r end.
Proof. induction l as [|x l IH]; simpl; [reflexivity|]. destruct (P x); auto. Qed.
Lemma find_block {A} (P : A -> bool) (F : nat -> list A) i n : (forall j, j <> i -> find P (F j) = None) ->
  find P (flat_map F (seq 0 n)) = if Nat.ltb i n then find P (F i) else None.
Proof.
  intro N. induction n as [|n IH]; [reflexivity|]. rewrite seq_S, flat_map_app, find_app, IH. simpl flat_map.
    rewrite app_nil_r.
  destruct (Nat.ltb_spec i n); destruct (Nat.ltb_spec i (S n)); try lia.
  - destruct (find P (F i)) eqn:E; [reflexivity|]. apply N. lia.
  - replace n with i by lia. reflexivity.
  - apply N. lia.
Qed.

Section Counters.
Variable k : nat.
Definition counters (f : nat -> Z) : list Z := map f (seq 0 k).
Definition bumped (f : nat -> Z) (i : nat) (v : Z) (j : nat) : Z := f j + if Nat.eqb j i then v else 0.

Lemma add_only f i v : add (counters f) (only k i v) = counters (bumped f i v).
Proof. unfold add, counters, only. rewrite combine_tab, map_map. apply tab_ext. intros j _. unfold bumped. simpl.
  destruct (Nat.eqb j i); reflexivity. Qed.

Lemma zero_counters : counters (fun _ => 0) = repeat 0 k.
Proof. unfold counters. generalize 0%nat. induction k as [|n IH]; intro s; simpl; [reflexivity|]. f_equal. apply IH.
  Qed.

(* What the second stage of phi reads. *)
Definition corners_read (f : nat -> Z) (x : list Z) : list Z :=
  mix 0 (mixed (map corner_of_counter (seq 0 (2 * k)))) (counters f ++ x) ++ x.
Lemma corner_values f x n : (n < 2 * k)%nat ->
  nth n (corners_read f x) 0 = Z.max (f (Nat.div2 n) - oz (Nat.odd n)) 0.
Proof.
  intro L. unfold corners_read. rewrite mix_relu, map_map. rewrite nth_first by exact L.
    unfold corner_of_counter, total. cbn [fold_right fst snd].
  unfold counters. rewrite nth_first by (rewrite Nat.div2_div; apply Nat.div_lt_upper_bound; lia). f_equal. lia.
Qed.
Lemma even_corner f x i : (i < k)%nat -> 0 <= f i -> nth (2 * i) (corners_read f x) 0 = f i.
Proof.
  intros L P. rewrite corner_values by lia. rewrite Nat.div2_double, Nat.odd_mul. change (Nat.odd 2) with false.
    cbn [andb one_or_zero]. lia.
Qed.
Lemma odd_corner f x i : (i < k)%nat -> nth (2 * i + 1) (corners_read f x) 0 = Z.max (f i - 1) 0.
Proof.
  intro L. rewrite corner_values by lia. rewrite Nat.add_1_r, Nat.div2_succ_double, Nat.odd_succ, Nat.even_mul.
    reflexivity.
Qed.
Lemma after_corners f x i : nth (2 * k + i) (corners_read f x) 0 = nth i x 0.
Proof. unfold corners_read. rewrite mix_relu, map_map. apply nth_skip, length_tab. Qed.
End Counters.
