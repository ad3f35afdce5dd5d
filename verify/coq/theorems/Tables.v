(* How does one read rows of weights whose number and length depend on a parameter?

   Lemmas, and no claim: on lists given as a table [map f (seq 0 n)], on the total of a row, on a mix of ReLUs, and on
   sums. *)
Require Import ZArith List Bool Lia Arith.
From Verify Require Import SSM.
Import ListNotations.
Open Scope Z_scope.

Definition one_or_zero (b : bool) : Z := if b then 1 else 0.
Definition mixed (rows : list (Z * list (nat * Z))) : affine * activation := (Affine 0 rows, Relu).

Notation oz := one_or_zero.

Definition total (x : list Z) (terms : list (nat * Z)) : Z :=
  fold_right (fun t sum => snd t * nth (fst t) x 0 + sum) 0 terms.
Lemma row_total x b terms : row 0 x (b, terms) = b + total x terms.
Proof.
  unfold row. cbn [fst snd]. rewrite Z.pow_0_r, Z.mul_1_r. revert b.
  induction terms as [|t terms IH]; intro b; simpl; [lia|]. rewrite IH. lia.
Qed.
Lemma total_app x s t : total x (s ++ t) = total x s + total x t.
Proof. induction s; simpl; lia. Qed.
Lemma mix_relu rows x : mix 0 (mixed rows) x = map (fun r => Z.max (fst r + total x (snd r)) 0) rows.
Proof.
  rewrite mix_whole by reflexivity. unfold raw. cbn [mixed fst snd SSM.rows]. rewrite map_map. apply map_ext.
    intros [b terms].
  rewrite row_total. reflexivity.
Qed.
Lemma nth_tab {A} (f : nat -> A) n i d : (i < n)%nat -> nth i (map f (seq 0 n)) d = f i.
Proof. intro L. rewrite (nth_indep _ d (f 0%nat)) by (rewrite map_length, seq_length; exact L).
  rewrite map_nth, seq_nth by exact L. reflexivity. Qed.
Lemma length_tab {A} (f : nat -> A) n : length (map f (seq 0 n)) = n.
Proof. rewrite map_length, seq_length. reflexivity. Qed.
Lemma nth_first {A} (f : nat -> A) n x i d : (i < n)%nat -> nth i (map f (seq 0 n) ++ x) d = f i.
Proof. intro L. rewrite app_nth1 by (rewrite length_tab; exact L). apply nth_tab, L. Qed.
Lemma nth_skip {A} (l x : list A) n i d : length l = n -> nth (n + i) (l ++ x) d = nth i x d.
Proof. intros <-. apply app_nth2_plus. Qed.
Lemma tab_ext {A} (f g : nat -> A) n : (forall i, (i < n)%nat -> f i = g i) -> map f (seq 0 n) = map g (seq 0 n).
Proof. intro E. apply map_ext_in. intros i I. apply in_seq in I. apply E. lia. Qed.
Lemma combine_tab {A B C} (f : C -> A) (g : C -> B) l : combine (map f l) (map g l) = map (fun i => (f i, g i)) l.
Proof. induction l; simpl; congruence. Qed.
Lemma relu_one_or_zero b : Z.max (oz b) 0 = oz b.
Proof. destruct b; reflexivity. Qed.

(* sums over 0 .. n - 1 *)
Fixpoint sum (n : nat) (f : nat -> Z) : Z := match n with O => 0 | S n => sum n f + f n end.
Lemma sum_ext f g n : (forall i, (i < n)%nat -> f i = g i) -> sum n f = sum n g.
Proof. induction n as [|n IH]; intro E; simpl; [reflexivity|]. rewrite IH by (intros; apply E; lia). rewrite E by lia.
  reflexivity. Qed.
Lemma sum_add a b f : sum (a + b) f = sum a f + sum b (fun j => f (a + j)%nat).
Proof. induction b as [|b IH]; [rewrite Nat.add_0_r; simpl; lia|]. rewrite Nat.add_succ_r. simpl. rewrite IH. lia. Qed.
Lemma sum_blocks h b f : sum (b * h) f = sum b (fun i => sum h (fun j => f (i * h + j)%nat)).
Proof. induction b as [|b IH]; [reflexivity|]. simpl mult. rewrite Nat.add_comm, sum_add, IH. reflexivity. Qed.
Lemma total_tab x w f n : (forall i, (i < n)%nat -> nth i x 0 = f i) ->
  total x (map (fun i => (i, w i)) (seq 0 n)) = sum n (fun i => w i * f i).
Proof.
  intro E. induction n as [|n IH]; [reflexivity|]. rewrite seq_S, map_app, total_app, IH by (intros; apply E; lia).
    simpl. rewrite E by lia. lia.
Qed.
Lemma sum_pick h d (g : nat -> bool) w : (d <= h)%nat ->
  sum h (fun j => w * oz (Nat.eqb d (S j) && g j)) = if Nat.leb 1 d then w * oz (g (pred d)) else 0.
Proof.
  assert (Z0 : forall n, (n < d)%nat \/ d = 0%nat -> sum n (fun j => w * oz (Nat.eqb d (S j) && g j)) = 0).
  { induction n as [|n IH]; intro L; [reflexivity|]. cbn [sum]. rewrite IH by lia.
    rewrite (proj2 (Nat.eqb_neq d (S n))) by lia. simpl. lia. }
  intro L. destruct d as [|d]; [apply Z0; right; reflexivity|]. cbn [Nat.leb pred].
  induction h as [|h IH]; [lia|]. cbn [sum]. destruct (Nat.eq_dec d h) as [->|D].
  - rewrite Z0 by lia. rewrite Nat.eqb_refl. simpl. lia.
  - rewrite IH by lia. rewrite (proj2 (Nat.eqb_neq (S d) (S h))) by lia. simpl. lia.
Qed.
