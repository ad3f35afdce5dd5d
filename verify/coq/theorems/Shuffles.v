(* Does one layer predict the shuffle of k languages of balanced brackets, for EVERY k?  (k = 1 is Dyck-1.)

   Sarrof, Veitsman, Hahn 2024, the theorem on unbounded counters. [predictor k] is the model that this project builds,
   weight by weight; tests compare. One coordinate for each type counts its open brackets: gate 1, add 1 or -1, over
   unbounded integers. *)
Require Import ZArith List Bool Lia Arith.
From Verify Require Import SSM Languages.
From Verify.theorems Require Import Tables Counters.
Import ListNotations.
Open Scope Z_scope.

(* -- the model ----------------------------------------------------------------------------------------------------- *)

Definition counts_up_and_down (i : nat) : Z * list (nat * Z) := (0, [((2 * i)%nat, 1); ((2 * i + 1)%nat, -1)]).
Definition predictor (k : nat) : model := Model 0 0 (map (one_hot (2 * k)) (seq 0 (2 * k)) ++ [repeat 0 (2 * k)])
  [Layer (Affine 0 (map (fun _ => (1, [])) (seq 0 k))) (Affine 0 (map counts_up_and_down (seq 0 k))) 0 (repeat 0 k)
    [mixed (map corner_of_counter (seq 0 (2 * k)));
     mixed ((1, map (fun n => (n, if Nat.even n then -1 else 1)) (seq 0 (2 * k)))  (* no counter is positive *)
            :: map counts_up_and_down (seq 0 k))]]          (* counter i is positive *)
  (Affine 0 (map (fun a => if Nat.even a then (1, []) else (0, [(S (Nat.div2 a), 1)])) (seq 0 (2 * k))
    ++ [(0, [(0%nat, 1)])])).

(* -- the machine, by counters -------------------------------------------------------------------------------------- *)

Section Shuffle.
Variable k : nat.
Lemma shuffle_next f a : (a < 2 * k)%nat -> next (m := shuffle k) (0%nat, counters k f) a =
  if Nat.even a then Some (0%nat, counters k (bumped f (Nat.div2 a) 1))
  else if 0 <? f (Nat.div2 a) then Some (0%nat, counters k (bumped f (Nat.div2 a) (-1))) else None.
Proof.
  intro L. assert (I : (Nat.div2 a < k)%nat) by (rewrite Nat.div2_div; apply Nat.div_lt_upper_bound; lia).
  assert (A := Nat.div2_odd a). cbn [next shuffle counter_machine]. unfold counter_next.
  rewrite (find_block _ _ (Nat.div2 a)).
  - rewrite (proj2 (Nat.ltb_lt _ _) I). rewrite <- (Nat.negb_odd a). unfold applies.
      cbn [find control symbol tests fst snd Nat.eqb andb].
    destruct (Nat.odd a); simpl Nat.b2n in A; cbn [negb].
    + rewrite (proj2 (Nat.eqb_neq _ a)) by lia. rewrite (proj2 (Nat.eqb_eq _ a)) by lia.
        cbn [andb forallb passes fst snd].
      unfold counters at 1. rewrite nth_tab by exact I. rewrite andb_true_r.
        destruct (0 <? f (Nat.div2 a)); [|reflexivity].
      cbn [target amounts]. rewrite add_only. reflexivity.
    + rewrite (proj2 (Nat.eqb_eq _ a)) by lia. cbn [andb forallb target amounts]. rewrite add_only. reflexivity.
  - intros j N. unfold applies. cbn [find control symbol tests fst snd Nat.eqb andb].
    rewrite !(proj2 (Nat.eqb_neq _ a)); [reflexivity| |]; destruct (Nat.odd a); simpl Nat.b2n in A; lia.
Qed.

(* -- the model, by counters ---------------------------------------------------------------------------------------- *)

Notation the_layer := (hd (Layer (Affine 0 []) (Affine 0 []) 0 [] []) (layers (predictor k))).

Lemma counters_step f x : update 0 the_layer (counters k f) x
  = counters k (fun i => f i + nth (2 * i) x 0 - nth (2 * i + 1) x 0).
Proof.
  rewrite update_whole by reflexivity. unfold raw. cbn [hd layers predictor gate increment SSM.rows]. rewrite !map_map.
  unfold counters. rewrite combine_tab, combine_tab, map_map. apply tab_ext. intros i _. rewrite row_total.
    unfold counts_up_and_down.
  rewrite row_total. unfold total. cbn [fold_right fst snd]. lia.
Qed.

Lemma features_are f x : (forall i, (i < k)%nat -> 0 <= f i) ->
  features 0 the_layer (counters k f) x
    = Z.max (1 - sum k (fun i => oz (0 <? f i))) 0 :: map (fun i => oz (0 <? f i)) (seq 0 k).
Proof.
  intro P. unfold features. cbn [fold_left hd layers predictor phi].
  change (mix 0 _ (counters k f ++ x) ++ x) with (corners_read k f x). rewrite mix_relu. cbn [map fst snd].
  f_equal.
  - f_equal. rewrite (total_tab _ (fun n => if Nat.even n then -1 else 1) (fun n => nth n (corners_read k f x) 0))
      by reflexivity.
    rewrite Nat.mul_comm, sum_blocks. assert (E : forall n, (n <= k)%nat ->
      sum n (fun i => sum 2 (fun j => (if Nat.even (i * 2 + j) then -1
        else 1) * nth (i * 2 + j) (corners_read k f x) 0)) = - sum n (fun i => oz (0 <? f i))).
    { induction n as [|n IH]; intro L; [reflexivity|]. cbn [sum] in *. rewrite IH by lia.
      rewrite Nat.add_0_r, (Nat.mul_comm n 2), even_corner, odd_corner by (try apply P; lia).
      rewrite Nat.add_1_r, Nat.even_succ, Nat.even_mul, Nat.odd_mul. change (Nat.even 2) with true.
        change (Nat.odd 2) with false.
      cbn [orb andb]. specialize (P n ltac:(lia)).
      destruct (Z.ltb_spec 0 (f n)); simpl oz; lia. }
    rewrite E by lia. lia.
  - rewrite map_map. apply tab_ext. intros i L. unfold counts_up_and_down, total. cbn [fold_right fst snd].
    rewrite even_corner, odd_corner by (try apply P; exact L). specialize (P i L).
      destruct (Z.ltb_spec 0 (f i)); simpl oz; lia.
Qed.

(* -- the theorem --------------------------------------------------------------------------------------------------- *)

Lemma none_positive f n : (forall i, (i < n)%nat -> 0 <= f i) ->
  0 <= sum n (fun i => oz (0 <? f i)) /\ forallb (fun i => f i =? 0) (seq 0 n) = (sum n (fun i => oz (0 <? f i)) =? 0).
Proof.
  induction n as [|n IH]; intro P; [split; reflexivity|]. destruct IH as [N E]; [intros; apply P; lia|].
  rewrite seq_S, forallb_app, E. simpl. specialize (P n ltac:(lia)).
  destruct (Z.ltb_spec 0 (f n)); simpl oz; (split; [lia|]);
    destruct (Z.eqb_spec (sum n (fun i => oz (0 <? f i))) 0); destruct (Z.eqb_spec (f n) 0); simpl; symmetry; try lia;
    rewrite ?Z.eqb_eq, ?Z.eqb_neq; lia.
Qed.

Lemma answers_are f : (forall i, (i < k)%nat -> 0 <= f i) ->
  map (Z.ltb 0) (raw 0 (readout (predictor k))
    (Z.max (1 - sum k (fun i => oz (0 <? f i))) 0 :: map (fun i => oz (0 <? f i)) (seq 0 k)))
  = answer (m := shuffle k) (0%nat, counters k f).
Proof.
  intro P. set (z := _ :: _). cbn [answer shuffle counter_machine]. unfold counter_answer.
  unfold raw. cbn [readout predictor SSM.rows]. rewrite !map_app, !map_map. apply (f_equal2 (@app bool)).
  - apply tab_ext. intros a L. change (counter_next _ (0%nat, counters k f) a)
      with (next (m := shuffle k) (0%nat, counters k f) a).
    rewrite shuffle_next by exact L. destruct (Nat.even a); [rewrite row_total; reflexivity|]. rewrite row_total.
      unfold total. cbn [fold_right fst snd].
    unfold z. cbn [nth]. rewrite nth_tab by (rewrite Nat.div2_div; apply Nat.div_lt_upper_bound; lia).
      destruct (0 <? f (Nat.div2 a)); reflexivity.
  - cbn [map]. rewrite row_total. unfold total, z. cbn [fold_right fst snd nth]. f_equal.
    unfold counter_accepts. cbn [existsb fst snd Nat.eqb andb]. rewrite orb_false_r.
    destruct (none_positive f k P) as [N E].
    transitivity (forallb (fun i => f i =? 0) (seq 0 k)).
    + rewrite E. destruct (Z.eqb_spec (sum k (fun i => oz (0 <? f i))) 0); [apply Z.ltb_lt|apply Z.ltb_ge]; lia.
    + clear. assert (G : forall l, (forall i, In i l -> (i < k)%nat) ->
        forallb (fun i => f i =? 0) l = forallb (passes (counters k f)) (map (fun i => (i, Zero)) l)).
      { induction l as [|i l IH]; intro B; [reflexivity|]. cbn [map forallb].
        rewrite IH by (intros; apply B; right; assumption).
        unfold passes at 2. cbn [fst snd]. unfold counters. rewrite nth_tab by (apply B; left; reflexivity).
          reflexivity. }
      apply G. intros i I. apply in_seq in I. lia.
Qed.

Lemma embedded_symbol a : embedded (predictor k) a
  = nth a (map (one_hot (2 * k)) (seq 0 (2 * k)) ++ [repeat 0 (2 * k)]) [].
Proof. unfold embedded. cbn [bits embedding_exponent embedding predictor]. apply map_stored_whole. Qed.

Definition related (q : nat * list Z) (hs : list (list Z)) : Prop :=
  exists f, q = (0%nat, counters k f) /\ hs = [counters k f] /\ forall i, (i < k)%nat -> 0 <= f i.

Lemma step_right f g a : (forall i, (i < k)%nat -> 0 <= g i) ->
  (forall i, (i < k)%nat -> f i + nth (2 * i) (embedded (predictor k) a) 0 - nth (2 * i + 1) (embedded (predictor k) a)
    0 = g i) ->
  step (predictor k) [counters k f] a = ([counters k g], answer (m := shuffle k) (0%nat, counters k g)).
Proof.
  intros P E. unfold step. change (bits (predictor k)) with 0. change (layers (predictor k)) with [the_layer].
    cbn [through].
  rewrite counters_step. replace (counters k (fun i => _)) with (counters k g)
    by (apply tab_ext; intros i L; symmetry; apply E, L).
  rewrite features_are, answers_are by exact P. reflexivity.
Qed.

Lemma nth_repeat_zero n i : nth i (repeat 0 n) 0 = 0.
Proof. revert i; induction n as [|n IH]; intros [|i]; simpl; auto. Qed.

Theorem predictor_computes_shuffle : computes (predictor k) (shuffle k) (2 * k).
Proof.
  assert (begins : begin (predictor k) = ([counters k (fun _ => 0)],
    answer (m := shuffle k) (0%nat, counters k (fun _ => 0)))).
  { unfold begin. replace (start (predictor k)) with [counters k (fun _ => 0)].
    - apply step_right; [intros; lia|]. intros i L. rewrite embedded_symbol. unfold bos. cbn [embedding predictor].
      rewrite app_length, length_tab. simpl length. replace (pred (2 * k + 1)) with (2 * k + 0)%nat by lia.
      rewrite (nth_skip _ _ (2 * k)) by apply length_tab. cbn [nth]. rewrite !nth_repeat_zero. reflexivity.
    - unfold start. cbn [layers predictor map initial initial_exponent bits]. rewrite map_stored_whole, zero_counters.
        reflexivity. }
  apply relation_computes with (R := related).
  - rewrite begins. exists (fun _ => 0).
      split; [cbn [first shuffle counter_machine]; rewrite zero_counters; reflexivity|].
    split; [reflexivity|intros; lia].
  - rewrite begins, zero_counters. reflexivity.
  - intros q s a q' (f & -> & -> & P) L N. rewrite shuffle_next in N by exact L.
    set (i := Nat.div2 a) in *. assert (A := Nat.div2_odd a). fold i in A.
    set (v := if Nat.even a then 1 else -1).
    assert (Q : q' = (0%nat, counters k (bumped f i v)) /\ (forall j, (j < k)%nat -> 0 <= bumped f i v j)).
    { unfold bumped, v. destruct (Nat.even a).
      - injection N as <-. split; [reflexivity|]. intros j J. specialize (P j J). destruct (Nat.eqb j i); lia.
      - destruct (Z.ltb_spec 0 (f i)) as [G|]; [|discriminate]. injection N as <-. split; [reflexivity|]. intros j J.
          specialize (P j J).
        destruct (Nat.eqb_spec j i); subst; lia. }
    destruct Q as [-> P'].
    rewrite (step_right f (bumped f i v) a P').
    + split; [|reflexivity]. exists (bumped f i v). auto.
    + intros j J. rewrite embedded_symbol, nth_first by exact L. unfold one_hot. rewrite !nth_tab by lia.
        unfold bumped, v.
      rewrite <- Nat.negb_odd. destruct (Nat.odd a); simpl Nat.b2n in A; cbn [negb];
        destruct (Nat.eqb_spec j i); destruct (Nat.eqb_spec (2 * j) a); destruct (Nat.eqb_spec (2 * j + 1) a); simpl oz;
          lia.
Qed.
End Shuffle.
Print Assumptions predictor_computes_shuffle.
