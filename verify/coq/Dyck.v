(* Does a model compute Dyck(k, h) if it computes a counter machine that holds the stack in bits?

   The control is the depth; counter j B + i is bit i of the type that is open at depth j + 1, and 0 above the depth.  This
   machine takes the same steps as the stack, so what CounterMachines.v proves of it is proved of Dyck(k, h), of any
   size and in both modes. *)
From Verify Require Import SSM Languages.
Require Import ZArith List Bool Lia Arith.
Import ListNotations.
Open Scope Z_scope.

(* -- machines that take the same steps ------------------------------------------------------------------------------ *)

Section Same.
Variables (M D : machine) (n : nat) (held : state M -> state D) (valid : state M -> Prop).
Hypothesis first_valid : valid first.
Hypothesis first_held : held first = first.
Hypothesis next_valid : forall q a q', valid q -> next q a = Some q' -> valid q'.
Hypothesis next_held : forall q a, valid q -> (a < n)%nat -> next (held q) a = option_map held (next q a).
Hypothesis answer_held : forall q, valid q -> answer (held q) = answer q.

Lemma reaches_held w : forall q, Forall (fun a => (a < n)%nat) w -> reaches M w = Some q -> valid q /\ reaches D w = Some (held q).
Proof.
  induction w as [|a w IH] using rev_ind; intros q A H; unfold reaches in *.
  - injection H as <-. cbn [fold_left]. rewrite first_held. auto.
  - rewrite fold_left_app in *. cbn [fold_left] in *. apply Forall_app in A as [A1 A2]. inversion A2; subst.
    destruct (fold_left _ w (Some first)) as [p|] eqn:E; [|discriminate]. destruct (IH p A1 eq_refl) as [V ->].
    split; [exact (next_valid p a q V H)|]. rewrite next_held, H by assumption. reflexivity.
Qed.
Theorem same_steps_compute m : computes m D n -> computes m M n.
Proof.
  intros C w q A H. destruct (reaches_held w q A H) as [V R]. rewrite (C w _ A R). apply answer_held; exact V.
Qed.
End Same.

Section Recognisers.
Variables (M D : machine) (n : nat) (held : state M -> state D) (valid : state M -> Prop).
Hypothesis first_valid : valid first.
Hypothesis first_held : held first = first.
Hypothesis next_valid : forall q a q', valid q -> next q a = Some q' -> valid q'.
Hypothesis next_held : forall q a, valid q -> (a < n)%nat -> next (held q) a = option_map held (next q a).
Hypothesis answer_held : forall q, valid q -> answer (held q) = answer q.
Theorem same_steps_recognise m : computes m (recogniser D) n -> computes m (recogniser M) n.
Proof.
  apply same_steps_compute with (M := recogniser M) (D := recogniser D) (held := option_map held)
    (valid := fun q => match q with Some q => valid q | None => True end); cbn [first next answer recogniser state].
  - exact first_valid.
  - cbn [option_map]. rewrite first_held. reflexivity.
  - intros [q|] a q' V H; injection H as <-; [|exact Logic.I]. destruct (next q a) eqn:E; [|exact Logic.I]. exact (next_valid q a _ V E).
  - intros [q|] a V A; [|reflexivity]. cbn [option_map]. f_equal. apply next_held; assumption.
  - intros [q|] V; [|reflexivity]. cbn [option_map]. rewrite answer_held by assumption. reflexivity.
Qed.
End Recognisers.

(* -- the stack in bits ---------------------------------------------------------------------------------------------- *)

Section Bits.
Variables k h B : nat.
Let n := (h * B)%nat.
Definition type_bit (t i : nat) : Z := if Nat.testbit t i then 1 else 0.
Definition cell (j t : nat) (v : Z) : list Z := map (fun c => if Nat.eqb (c / B) j then v * type_bit t (c mod B) else 0) (seq 0 n).
Definition cell_tests (j t : nat) : list (nat * sign) := map (fun i => ((j * B + i)%nat, if Nat.testbit t i then Positive else Zero)) (seq 0 B).
Definition opening (d t : nat) : move := Move d (2 * t) [] (S d) (cell d t 1).
Definition closing (d t : nat) : move := Move (S d) (2 * t + 1) (cell_tests d t) d (cell d t (-1)).
Definition dyck_moves : list move := flat_map (fun d => flat_map (fun t => [opening d t; closing d t]) (seq 0 k)) (seq 0 h).
Definition dyck_in_bits : machine := counter_machine (2 * k) (0%nat, repeat 0 n) dyck_moves [(0%nat, [])].

Hypothesis types_fit : (k <= 2 ^ B)%nat.

Definition bits_of (q : list nat) : list Z :=
  map (fun c => if Nat.ltb (c / B) (length q) then type_bit (nth (c / B) (rev q) 0%nat) (c mod B) else 0) (seq 0 n).
Definition held (q : list nat) : nat * list Z := (length q, bits_of q).
Definition valid (q : list nat) : Prop := (length q <= h)%nat /\ Forall (fun t => (t < k)%nat) q.

Lemma in_moves x : In x dyck_moves <-> exists d t, (d < h)%nat /\ (t < k)%nat /\ (x = opening d t \/ x = closing d t).
Proof.
  unfold dyck_moves. rewrite in_flat_map. split.
  - intros (d & D & H). apply in_flat_map in H as (t & T & H). apply in_seq in D, T. exists d, t. cbn [In] in H.
    split; [lia|]. split; [lia|]. intuition congruence.
  - intros (d & t & D & T & H). exists d. split; [apply in_seq; lia|]. apply in_flat_map. exists t. split; [apply in_seq; lia|].
    cbn [In]. intuition congruence.
Qed.

Lemma find_only {A} (f : A -> bool) l x : In x l -> f x = true -> (forall y, In y l -> f y = true -> y = x) -> find f l = Some x.
Proof.
  intros I F U. destruct (find f l) as [y|] eqn:E.
  - apply find_some in E as [J G]. rewrite (U y J G). reflexivity.
  - apply (find_none _ _ E) in I. congruence.
Qed.
Lemma find_nothing {A} (f : A -> bool) l : (forall y, In y l -> f y = false) -> find f l = None.
Proof. intro H. destruct (find f l) as [y|] eqn:E; [|reflexivity]. apply find_some in E as [J G]. rewrite (H y J) in G. discriminate. Qed.

(* the bits of two types below 2^B differ where the types do *)
Lemma same_bits t u : (t < 2 ^ B)%nat -> (u < 2 ^ B)%nat -> (forall i, (i < B)%nat -> Nat.testbit t i = Nat.testbit u i) -> t = u.
Proof.
  intros T U H. apply Nat.bits_inj. intro i. destruct (Nat.lt_ge_cases i B) as [L|L]; [apply H; exact L|].
  assert (Z : forall x, (x < 2 ^ B)%nat -> Nat.testbit x i = false).
  { intros x X. rewrite <- (Nat.mod_small x (2 ^ B)) by exact X. apply Nat.mod_pow2_bits_high; exact L. }
  rewrite (Z t T), (Z u U). reflexivity.
Qed.
Lemma index_div j i : (i < B)%nat -> ((j * B + i) / B = j)%nat.
Proof. intro I. rewrite Nat.div_add_l by lia. rewrite Nat.div_small by exact I. lia. Qed.
Lemma index_mod j i : (i < B)%nat -> ((j * B + i) mod B = i)%nat.
Proof. intro I. rewrite Nat.add_comm, Nat.mod_add by lia. apply Nat.mod_small; exact I. Qed.
Lemma nth_bits q c : (c < n)%nat -> nth c (bits_of q) 0 = if Nat.ltb (c / B) (length q) then type_bit (nth (c / B) (rev q) 0%nat) (c mod B) else 0.
Proof.
  intro C. unfold bits_of.
  assert (N : forall f : nat -> Z, nth c (map f (seq 0 n)) 0 = f c).
  { intro f. rewrite (nth_indep _ 0 (f 0%nat)) by (rewrite map_length, seq_length; exact C). rewrite map_nth, seq_nth by exact C. reflexivity. }
  rewrite N. reflexivity.
Qed.

(* the tests of a closing bracket say that its type is the one on top *)
Lemma tests_top t u q : (S (length q) <= h)%nat -> (t < k)%nat -> (u < k)%nat ->
  forallb (passes (bits_of (u :: q))) (cell_tests (length q) t) = Nat.eqb u t.
Proof.
  intros L T U. apply eq_true_iff_eq. rewrite forallb_forall, Nat.eqb_eq.
  assert (P : forall i, (i < B)%nat -> passes (bits_of (u :: q)) ((length q * B + i)%nat, if Nat.testbit t i then Positive else Zero)
                       = Bool.eqb (Nat.testbit u i) (Nat.testbit t i)).
  { intros i I. unfold passes; cbn [fst snd]. rewrite nth_bits by (unfold n; nia). rewrite index_div, index_mod by exact I. cbn [length].
    rewrite (proj2 (Nat.ltb_lt _ _)) by lia. cbn [rev]. rewrite app_nth2; rewrite rev_length; [|lia]. rewrite Nat.sub_diag. cbn [nth].
    unfold type_bit. destruct (Nat.testbit u i), (Nat.testbit t i); reflexivity. }
  split.
  - intro H. apply same_bits; [lia|lia|]. intros i I. apply eqb_prop. rewrite <- P by exact I. apply H. unfold cell_tests.
    apply in_map_iff. exists i. split; [reflexivity|apply in_seq; lia].
  - intros -> x X. apply in_map_iff in X as (i & <- & I). apply in_seq in I. rewrite P by lia. apply eqb_reflx.
Qed.
Lemma add_cells q u v : (length q <= h)%nat ->
  add (bits_of q) (cell (length q) u 1) = bits_of (u :: q) /\ add (bits_of (v :: q)) (cell (length q) v (-1)) = bits_of q.
Proof.
  intro L. unfold add, bits_of, cell.
  assert (G : forall (f g : nat -> Z) l, map (fun p => fst p + snd p) (combine (map f l) (map g l)) = map (fun c => f c + g c) l).
  { intros f g l. induction l as [|c l IH]; cbn [map combine]; [reflexivity|]. rewrite IH. reflexivity. }
  rewrite !G. assert (T : forall x c, (c / B = length q)%nat -> nth (c / B) (rev (x :: q)) 0%nat = x).
  { intros x c E. rewrite E. cbn [rev]. rewrite app_nth2; rewrite rev_length; [|lia]. rewrite Nat.sub_diag. reflexivity. }
  assert (S_ : forall x c, (c / B < length q)%nat -> nth (c / B) (rev (x :: q)) 0%nat = nth (c / B) (rev q) 0%nat).
  { intros x c E. cbn [rev]. rewrite app_nth1; [reflexivity|]. rewrite rev_length. exact E. }
  split; apply map_ext; intro c; cbn [length];
    destruct (Nat.lt_trichotomy (c / B) (length q)) as [E|[E|E]];
    repeat match goal with
      | |- context [Nat.ltb ?a ?b] => destruct (Nat.ltb_spec a b); try lia
      | |- context [Nat.eqb ?a ?b] => destruct (Nat.eqb_spec a b); try lia
    end; try (rewrite S_ by exact E; lia); try (rewrite T by exact E; lia); lia.
Qed.

Lemma dyck_next_held q a : valid q -> (a < 2 * k)%nat -> counter_next dyck_moves (held q) a = option_map held (dyck_next k h q a).
Proof.
  intros [L T] A. unfold counter_next, held, dyck_next; cbn [fst snd].
  assert (K : (Nat.div2 a < k)%nat) by (rewrite Nat.div2_div; apply Nat.div_lt_upper_bound; lia).
  rewrite (proj2 (Nat.ltb_lt _ _) K). cbn [negb]. destruct (Nat.Even_or_Odd a) as [[t E]|[t E]].
  - (* an opening bracket *)
    assert (Ev : Nat.even a = true) by (apply Nat.even_spec; exists t; exact E). rewrite Ev.
    assert (D2 : Nat.div2 a = t) by (rewrite E, Nat.div2_double; reflexivity). rewrite D2 in *.
    destruct (Nat.ltb_spec (length q) h) as [Lt|Ge].
    + rewrite (find_only _ _ (opening (length q) t)).
      * cbn [option_map target amounts opening]. f_equal. f_equal. apply (proj1 (add_cells q t 0 L)).
      * apply in_moves. exists (length q), t. auto.
      * unfold applies; cbn [opening control symbol tests fst snd forallb]. rewrite E, !Nat.eqb_refl. reflexivity.
      * intros y Y F. apply in_moves in Y as (d & u & _ & _ & [-> | ->]); unfold applies in F; cbn [opening closing control symbol tests fst snd] in F;
          apply andb_prop in F as [F _]; apply andb_prop in F as [F1 F2]; apply Nat.eqb_eq in F1, F2.
        -- subst d. f_equal. lia.
        -- exfalso. lia.
    + rewrite find_nothing; [reflexivity|]. intros y Y. apply in_moves in Y as (d & u & D & _ & [-> | ->]); unfold applies;
        cbn [opening closing control symbol fst snd].
      * rewrite (proj2 (Nat.eqb_neq d (length q))) by lia. reflexivity.
      * rewrite (proj2 (Nat.eqb_neq (2 * u + 1) a)) by lia. rewrite andb_false_r. reflexivity.
  - (* a closing bracket *)
    assert (Ev : Nat.even a = false) by (rewrite <- Nat.negb_odd; apply negb_false_iff, Nat.odd_spec; exists t; exact E). rewrite Ev.
    assert (D2 : Nat.div2 a = t) by (rewrite E, Nat.add_1_r, Nat.div2_succ_double; reflexivity). rewrite D2 in *.
    destruct q as [|u q].
    + rewrite find_nothing; [reflexivity|]. intros y Y. apply in_moves in Y as (d & v & D & _ & [-> | ->]); unfold applies;
        cbn [opening closing control symbol fst snd length].
      * rewrite (proj2 (Nat.eqb_neq (2 * v) a)) by lia. rewrite andb_false_r. reflexivity.
      * reflexivity.
    + cbn [length] in L. inversion T as [|? ? U T']; subst.
      destruct (Nat.eqb_spec u t) as [->|Ne].
      * rewrite (find_only _ _ (closing (length q) t)).
        -- cbn [option_map target amounts closing]. f_equal. f_equal. apply (proj2 (add_cells q 0 t ltac:(lia))).
        -- apply in_moves. exists (length q), t. split; [lia|]. auto.
        -- unfold applies; cbn [closing control symbol tests fst snd length]. rewrite !Nat.eqb_refl. cbn [andb].
           rewrite tests_top by lia. apply Nat.eqb_refl.
        -- intros y Y F. apply in_moves in Y as (d & v & _ & _ & [-> | ->]); unfold applies in F; cbn [opening closing control symbol tests fst snd length] in F;
             apply andb_prop in F as [F _]; apply andb_prop in F as [F1 F2]; apply Nat.eqb_eq in F1, F2.
           ++ exfalso. lia.
           ++ injection F1 as ->. f_equal. lia.
      * rewrite find_nothing; [reflexivity|]. intros y Y. apply in_moves in Y as (d & v & D & V & [-> | ->]); unfold applies;
          cbn [opening closing control symbol tests fst snd length].
        -- rewrite (proj2 (Nat.eqb_neq (2 * v) (2 * t + 1))) by lia. rewrite andb_false_r. reflexivity.
        -- destruct (Nat.eqb_spec (S d) (S (length q))) as [Ed|]; [|reflexivity]. injection Ed as ->.
           destruct (Nat.eqb_spec (2 * v + 1) (2 * t + 1)) as [Ev'|]; [|reflexivity]. assert (v = t) by lia; subst v. cbn [andb].
           rewrite tests_top by lia. apply Nat.eqb_neq; exact Ne.
Qed.
Lemma dyck_next_valid q a q' : valid q -> dyck_next k h q a = Some q' -> valid q'.
Proof.
  intros [L T] H. split; [|exact (dyck_types k h q a q' T H)]. unfold dyck_next in H.
  destruct (negb _); [discriminate|]. destruct (Nat.even a).
  - destruct (Nat.ltb_spec (length q) h); [|discriminate]. injection H as <-. cbn [length]. lia.
  - destruct q as [|u q]; [discriminate|]. destruct (u =? Nat.div2 a)%nat; [|discriminate]. injection H as <-. cbn [length] in L. lia.
Qed.
Lemma dyck_answer_held q : valid q -> counter_answer (2 * k) dyck_moves [(0%nat, [])] (held q) = dyck_answer k h q.
Proof.
  intro V. unfold counter_answer, dyck_answer. f_equal.
  - apply map_ext_in. intros a A. apply in_seq in A. rewrite dyck_next_held by (auto; lia). destruct (dyck_next k h q a); reflexivity.
  - unfold counter_accepts, held. cbn [existsb fst snd forallb]. destruct q; reflexivity.
Qed.
Lemma bits_of_nothing : bits_of [] = repeat 0 n.
Proof.
  transitivity (map (fun _ => 0) (seq 0 n)); [apply map_ext; reflexivity|].
  rewrite <- (seq_length n 0) at 2. induction (seq 0 n) as [|c l IH]; cbn [map length repeat]; [reflexivity|]. rewrite IH. reflexivity.
Qed.

Theorem dyck_in_bits_computes m : computes m dyck_in_bits (2 * k) -> computes m (dyck k h) (2 * k).
Proof.
  apply same_steps_compute with (held := held) (valid := valid).
  - split; [cbn [length first dyck]; lia|constructor].
  - unfold held. cbn [first dyck length]. rewrite bits_of_nothing. reflexivity.
  - exact dyck_next_valid.
  - exact dyck_next_held.
  - exact dyck_answer_held.
Qed.
Theorem dyck_in_bits_recognises m : computes m (recogniser dyck_in_bits) (2 * k) -> computes m (recogniser (dyck k h)) (2 * k).
Proof.
  apply same_steps_recognise with (held := held) (valid := valid).
  - split; [cbn [length first dyck]; lia|constructor].
  - unfold held. cbn [first dyck length]. rewrite bits_of_nothing. reflexivity.
  - exact dyck_next_valid.
  - exact dyck_next_held.
  - exact dyck_answer_held.
Qed.
End Bits.

Print Assumptions dyck_in_bits_computes.
Print Assumptions dyck_in_bits_recognises.
