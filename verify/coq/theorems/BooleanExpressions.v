(* Does one counter predict Boolean expressions in prefix notation, with operators of arity 1 to n, for EVERY n >= 1?

   Sarrof, Veitsman, Hahn 2024, the theorem on unbounded counters. [predictor n] is the model that this project builds,
   weight by weight; tests compare. The one coordinate counts the expressions that are still to come: an operator of
   arity r adds r - 1, an operand takes 1. *)
Require Import ZArith List Bool Lia Arith.
From Verify Require Import SSM Languages.
From Verify.theorems Require Import Tables.
Import ListNotations.
Open Scope Z_scope.

(* -- the model ----------------------------------------------------------------------------------------------------- *)

Section Boolean.
Variable n : nat.

(* Symbols 0 .. n - 1 are the operators of arity 1 .. n, then come two operands. Feature j is 1 on symbol j + 1; the
   last on operands. *)
Definition symbol_row (a : nat) : list Z := map (fun j => oz (Nat.eqb (S j) (Nat.min a n))) (seq 0 n).
Definition amount (j : nat) : Z := if Nat.eqb (S j) n then -1 else Z.of_nat (S j).

Definition predictor : model := Model 0 0 (map symbol_row (seq 0 (n + 2)) ++ [repeat 0 n])
  [Layer (Affine 0 [(1, [])]) (Affine 0 [(0, map (fun j => (j, amount j)) (seq 0 n))]) 0 [1]
    [mixed [(0, [(0%nat, 1)]); (-1, [(0%nat, 1)])];
     mixed [(0, [(0%nat, 1); (1%nat, -1)]);                 (* the counter is positive: anything may come *)
            (1, [(0%nat, -1); (1%nat, 1)])]]]                            (* it is not: the expression is complete *)
  (Affine 0 (map (fun _ => (0, [(0%nat, 1)])) (seq 0 (n + 2)) ++ [(0, [(1%nat, 1)])])).

(* -- the machine --------------------------------------------------------------------------------------------------- *)

Hypothesis some_operator : (1 <= n)%nat.

Definition change (a : nat) : Z := if Nat.ltb a n then Z.of_nat a else -1.

Lemma find_one {A} (P : A -> bool) (F : nat -> A) i s m : (forall j, j <> i -> P (F j) = false) ->
  (s <= i < s + m)%nat ->
  find P (map F (seq s m)) = if P (F i) then Some (F i) else None.
Proof.
  intros N. revert s. induction m as [|m IH]; intros s L; [lia|]. simpl. destruct (Nat.eq_dec s i) as [->|D].
  - destruct (P (F i)); [reflexivity|]. clear IH L.
      assert (G : forall m s, (i < s)%nat -> find P (map F (seq s m)) = None).
    { induction m0 as [|m0 IH]; intros s L; [reflexivity|]. simpl. rewrite N by lia. apply IH. lia. }
    apply G. lia.
  - rewrite N by exact D. apply IH. lia.
Qed.
Lemma boolean_next c a : (a < n + 2)%nat -> next (m := boolean n) (0%nat, [c]) a = if 0 <? c then Some (0%nat,
  [c + change a]) else None.
Proof.
  intro L. cbn [next boolean counter_machine]. unfold counter_next.
  replace (_ ++ _) with (map (fun i => Move 0 i [(0%nat, Positive)] 0 [change i]) (seq 0 (n + 2))).
  - rewrite (find_one _ _ a) by (try lia; intros j N; unfold applies; cbn [control symbol tests fst snd Nat.eqb andb];
      rewrite (proj2 (Nat.eqb_neq j a) N); reflexivity).
    unfold applies. cbn [control symbol tests fst snd Nat.eqb andb]. rewrite Nat.eqb_refl.
      cbn [andb forallb passes fst snd nth].
    rewrite andb_true_r. destruct (0 <? c); reflexivity.
  - rewrite seq_app, map_app. f_equal.
    + apply tab_ext. intros i I. unfold change. rewrite (proj2 (Nat.ltb_lt i n) I). reflexivity.
    + cbn [Nat.add seq map]. unfold change. rewrite (proj2 (Nat.ltb_ge n n) (le_n n)), (proj2 (Nat.ltb_ge (S n) n))
        by lia.
      rewrite Nat.add_1_r. reflexivity.
Qed.

(* -- the model steps like the machine ------------------------------------------------------------------------------ *)

Lemma added a : (a < n + 2)%nat -> total (symbol_row a) (map (fun j => (j, amount j)) (seq 0 n)) = change a.
Proof.
  intro L. rewrite (total_tab _ amount (fun j => oz (Nat.eqb (S j) (Nat.min a n))))
    by (intros i I; apply (nth_tab (fun j => oz (Nat.eqb (S j) (Nat.min a n)))), I).
  assert (G : forall m, (m <= n)%nat -> sum m (fun j => amount j * oz (Nat.eqb (S j) (Nat.min a n)))
                                       = if Nat.ltb 0 (Nat.min a n) && Nat.leb (Nat.min a n) m
                                         then amount (pred (Nat.min a n)) else 0).
  { set (t := Nat.min a n). induction m as [|m IH]; intro M.
    - destruct t; reflexivity.
    - cbn [sum]. rewrite IH by lia. destruct t as [|t]; [simpl; lia|]. change (Nat.ltb 0 (S t)) with true.
        cbn [andb pred].
      destruct (Nat.eqb_spec (S m) (S t)) as [E|E].
      + injection E as ->. rewrite (proj2 (Nat.leb_gt (S t) t)), Nat.leb_refl by lia. simpl oz. lia.
      + destruct (Nat.leb_spec (S t) m); destruct (Nat.leb_spec (S t) (S m)); simpl oz; lia. }
  rewrite G by lia. unfold amount, change. destruct (Nat.ltb_spec a n) as [A|A].
  - rewrite Nat.min_l by lia. destruct a as [|a]; [reflexivity|]. rewrite (proj2 (Nat.leb_le (S a) n)) by lia.
      change (Nat.ltb 0 (S a)) with true. cbn [andb pred].
    rewrite (proj2 (Nat.eqb_neq (S a) n)) by lia. reflexivity.
  - rewrite Nat.min_r by lia. rewrite Nat.leb_refl. rewrite (proj2 (Nat.ltb_lt 0 n)) by lia. cbn [andb].
    replace (S (pred n)) with n by lia. rewrite Nat.eqb_refl. reflexivity.
Qed.

Lemma counter_step c x : update 0 (hd (Layer (Affine 0 []) (Affine 0 []) 0 [] []) (layers predictor)) [c] x
  = [c + total x (map (fun j => (j, amount j)) (seq 0 n))].
Proof.
  rewrite update_whole by reflexivity. unfold raw. cbn [hd layers predictor gate increment SSM.rows map combine].
    rewrite !row_total.
  cbn [total fold_right]. f_equal. lia.
Qed.
Lemma features_are c x : 0 <= c ->
  features 0 (hd (Layer (Affine 0 []) (Affine 0 []) 0 [] []) (layers predictor)) [c] x = [oz (0 <? c); oz (c =? 0)].
Proof.
  intro P. unfold features. cbn [fold_left hd layers predictor phi]. rewrite !mix_relu. unfold total.
    cbn [map fst snd fold_right app nth].
  destruct (Z.ltb_spec 0 c); destruct (Z.eqb_spec c 0); simpl oz; try lia; f_equal; try f_equal; lia.
Qed.
Lemma answers_are c : 0 <= c -> map (Z.ltb 0) (raw 0 (readout predictor) [oz (0 <? c); oz (c =? 0)]) = answer (m :=
  boolean n) (0%nat, [c]).
Proof.
  intro P. cbn [answer boolean counter_machine]. unfold counter_answer, raw. cbn [readout predictor SSM.rows].
    rewrite !map_app, !map_map.
  apply (f_equal2 (@app bool)).
  - apply tab_ext. intros a L. change (counter_next _ (0%nat, [c]) a) with (next (m := boolean n) (0%nat, [c]) a).
    rewrite boolean_next by exact L. rewrite row_total. unfold total. cbn [fold_right fst snd nth].
      destruct (0 <? c); reflexivity.
  - cbn [map]. rewrite row_total. unfold total. cbn [fold_right fst snd nth]. unfold counter_accepts.
    cbn [existsb forallb passes fst snd nth Nat.eqb andb]. destruct (c =? 0); reflexivity.
Qed.

Lemma step_right c x hs : 0 <= c + total x (map (fun j => (j, amount j)) (seq 0 n)) -> hs = [[c]] ->
  let (hs', z) := through 0 (layers predictor) hs x in
  hs' = [[c + total x (map (fun j => (j, amount j)) (seq 0 n))]] /\
  map (Z.ltb 0) (raw 0 (readout predictor) z) = answer (m := boolean n) (0%nat,
    [c + total x (map (fun j => (j, amount j)) (seq 0 n))]).
Proof.
  intros P ->. change (layers predictor) with [hd (Layer (Affine 0 []) (Affine 0 []) 0 [] []) (layers predictor)].
    cbn [through].
  rewrite counter_step, features_are, answers_are by exact P. split; reflexivity.
Qed.

(* -- the theorem --------------------------------------------------------------------------------------------------- *)

Definition related (q : nat * list Z) (hs : list (list Z)) : Prop := exists c, q = (0%nat, [c]) /\ hs = [[c]] /\ 0 <= c.

Lemma predictor_computes : computes predictor (boolean n) (n + 2).
Proof.
  assert (embed : forall a, embedded predictor a = nth a (map symbol_row (seq 0 (n + 2)) ++ [repeat 0 n]) [])
    by (intro a; unfold embedded; cbn [bits embedding_exponent embedding predictor]; apply map_stored_whole).
  assert (begins : fst (begin predictor) = [[1]] /\ snd (begin predictor) = answer (m := boolean n) (0%nat, [1])).
  { assert (Z0 : total (embedded predictor (bos predictor)) (map (fun j => (j, amount j)) (seq 0 n)) = 0).
    { rewrite embed. unfold bos. cbn [embedding predictor]. rewrite app_length, length_tab. simpl length.
      replace (pred (n + 2 + 1)) with (n + 2 + 0)%nat by lia. rewrite (nth_skip _ _ (n + 2)) by apply length_tab.
        cbn [nth].
      rewrite (total_tab _ amount (fun _ => 0)).
      - assert (G : forall m, sum m (fun i => amount i * 0) = 0) by (induction m; simpl; lia). apply G.
      - intros i _. generalize n. revert i. induction i as [|i IH]; intros [|m]; simpl; auto. }
    assert (R := step_right 1 (embedded predictor (bos predictor)) (start predictor) ltac:(lia) eq_refl).
    unfold begin, step. change (bits predictor) with 0. rewrite Z0 in R. destruct (through 0 _ _ _). exact R. }
  destruct begins as [R0 A0].
  apply relation_computes with (R := related); [rewrite R0; exists 1; repeat split; lia|exact A0|].
  intros q s a q' (c & -> & -> & P) L N. rewrite boolean_next in N by exact L.
  destruct (Z.ltb_spec 0 c) as [G|]; [|discriminate]. injection N as <-.
  assert (E := added a L). assert (C : -1 <= change a) by (unfold change; destruct (a <? n)%nat; lia).
  assert (R := step_right c (embedded predictor a) [[c]]). rewrite embed, nth_first, E in R by exact L.
  specialize (R ltac:(lia) eq_refl). unfold step. change (bits predictor) with 0. rewrite embed, nth_first by exact L.
  destruct (through 0 _ _ _). destruct R as [-> R]. split; [|exact R]. exists (c + change a). repeat split. lia.
Qed.
End Boolean.

Theorem predictor_computes_boolean : forall n, (1 <= n)%nat -> computes (predictor n) (boolean n) (n + 2).
Proof. exact predictor_computes. Qed.
Print Assumptions predictor_computes_boolean.
